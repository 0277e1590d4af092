#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=slow, machine
# The series, patch by patch.

load lib/setup

@test "each patch builds and boots, and the suite fails until the fix is there" {
	make -s bisect-proof KERNELS=$vulnerable 2> >(sed 's/^/# /' >&3)
}

@test "a patch that does not build and a suite that fails are reported" {
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	# The fix does nothing, and the last patch does not build.
	sed -i -E '/^(status|hfence|aplic|vmid|assert|locks|cocci|open|selftest|race)\b/d' series/order
	sed -i 's,^+\(.*\)&tmp->arch\(.*\),+\1\&vcpu->arch\2 /* wrong */,' arch/riscv/kvm/vcpu_sbi.c.fix.diff
	echo '#error' >>arch/riscv/kvm/vcpu_mp_state_test.c
	BUILD=$build KERNELS=$vulnerable run bin/bisect-proof
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"WRONG "*" series:3 "*" fail "* && $output == *"WRONG "*" series:4 "*" unbuilt "* ]]
}
