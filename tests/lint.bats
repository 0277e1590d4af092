#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# What the kernel's own tools say of the patches.

load lib/setup

# run --separate-stderr
bats_require_minimum_version 1.5.0

# Without a kernel being built, these have something to say of each patch.
light='checkpatch fixes signoff maintainers maintainers-self-test kconfig-style kunit-config kernel-doc selftests'

@test "nothing new on any base: $light" {
	fetch_bases
	make -s lint KERNELS="$(bases | grep -v '^6\.1\.' | xargs)" CHECKS="$light" 2> >(grep -v '^\[' >&3)
}

# bats test_tags=slow
@test "nothing new where KVM is built, on two bases (left out: clang, rv32, and the other bases)" {
	make -s lint KERNELS=$fixed CHECKS='gcc sparse coccicheck htmldocs' 2> >(sed 's/^/# /' >&3)
	# Kernels before 7.0 have sparse look at the balance of locks as well.
	make -s lint KERNELS=$vulnerable CHECKS='gcc sparse' 2> >(sed 's/^/# /' >&3)
}

# bats test_tags=slow
@test "what is wrong in a patch is found, each by its check" {
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	cat >>arch/riscv/kvm/vcpu_sbi_test.c <<-'END'
	
	/**
	 * not_this_name() - kernel-doc
	 */
	int another_name(int __user *p, struct kvm_vcpu *v);
	int another_name(int __user *p, struct kvm_vcpu *v)
	{
		spin_lock(&v->arch.mp_state_lock);
		if (*p)
			return 1;  
		spin_unlock(&v->arch.mp_state_lock);
		static const int unused = 1;
		return 0;
	}
	END
	echo 'static int nobody_calls(void) { return 0; }' >>tools/testing/selftests/kvm/riscv/sbi_system_reset_test.c
	printf 'Heading\n===\n\n*open\n' >>Documentation/virt/kvm/riscv/vcpu-kunit.rst
	sed -i '/^+	default KUNIT_ALL_TESTS/d' arch/riscv/kvm/Kconfig.kunit.diff
	# One line less in the hunk.
	sed -i -E 's/^@@ -38,4 [+]38,([0-9]+) @@/echo "@@ -38,4 +38,$((\1 - 1)) @@"/e' arch/riscv/kvm/Kconfig.kunit.diff
	sed -i 's/CONFIG_SMP=y/CONFIG_NO_SUCH=y/' arch/riscv/kvm/.kunitconfig
	sed -i 's/^Fixes: 2121cadec45a/Fixes: 2121cad/' series/fix.message
	sed -i '/^+F:/s,Documentation/virt/kvm/riscv/,Documentation/virt/kvm/nowhere/,' MAINTAINERS.kunit.diff
	BUILD=$build KERNELS=$fixed CHECKS="checkpatch maintainers-self-test kconfig-style kunit-config kernel-doc selftests gcc sparse coccicheck htmldocs" run --separate-stderr bin/lint
	echo "$output $stderr"
	[ "$status" -eq 1 ]
	for check in checkpatch maintainers-self-test kconfig-style kunit-config kernel-doc selftests gcc sparse coccicheck htmldocs; do
		grep -qE "^$fixed +$check +[1-9]" <<<"$output" || { echo "not found by $check"; false; }
	done
	BUILD=$build KERNELS=$vulnerable CHECKS=fixes run --separate-stderr bin/lint
	grep -qE "^$vulnerable +fixes +1 " <<<"$output"
}

@test "a check or a kernel that is not there is one line" {
	CHECKS=none run bin/lint
	[[ $status -eq 2 && $output == "error: CHECKS: there is no check 'none' (there are: checkpatch "* ]]
	one_line
	KERNELS=1.0 run bin/lint
	[[ $status -eq 2 && $output == "error: KERNELS: Linux 1.0 is not in series/bases "* ]]
}

@test "a commit that the Fixes tag names and the history does not have" {
	git init -q "$BATS_TEST_TMPDIR/history"
	FULL=$BATS_TEST_TMPDIR/history KERNELS=$vulnerable CHECKS=fixes run --separate-stderr bin/lint
	echo "$stderr"
	[ "$status" -eq 1 ]
	[[ $stderr == *"2121cadec45a is: no such commit in "* ]]
}
