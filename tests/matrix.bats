#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# The suite in other configurations than its own.

load lib/setup

# What fits CI's time. The rest of tests/matrix is for `make matrix`.
rows='no-lockdep kunit-module'

@test "a row that is not there is one line, and the rows there are" {
	run make -s matrix ROWS=no-such
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[0]} == "error: tests/matrix has no row 'no-such' (it has: default "* ]]
}

# bats test_tags=slow
@test "a verdict that is not the expected one is reported" {
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$BATS_TEST_TMPDIR"
	sed -i 's/^\(no-lockdep .*\) skip  *[0-9,]* /\1 fail 4 /' "$BATS_TEST_TMPDIR/tests/matrix"
	BUILD=$build run "$BATS_TEST_TMPDIR/bin/matrix" no-lockdep
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"WRONG  no-lockdep "*" series-fix "*" skip "* && $output != *"ok "* ]]
}

# bats test_tags=slow
@test "the suite is right in these configurations: $rows" {
	echo "# left out: $(sed -n 's/^\([a-z0-9-]*\) .*/\1/p' tests/matrix | grep -vxE "${rows// /|}" | xargs)" >&3
	make -s matrix ROWS="$rows" 2> >(sed 's/^/# /' >&3)
}

# bats test_tags=slow
@test "without lockdep, the assertion costs not one instruction" {
	key=$(printf 'gcc PROVE_LOCKING=n' | sha256sum)
	engine/compare-objects "$build/trees/$fixed" "$build/out/$fixed-${key:0:8}" assert arch/riscv/kvm/vcpu{,_sbi}.o
}

# bats test_tags=slow
@test "with lockdep, that it is there shows in the code" {
	key=$(printf 'gcc MODULES=y,KVM=m,KUNIT=m,BLK_DEV_INITRD=y' | sha256sum)
	run engine/compare-objects "$build/trees/$fixed" "$build/out/$fixed-${key:0:8}" assert arch/riscv/kvm/vcpu{,_sbi}.o
	[ "$status" -eq 1 ]
	[ "$(grep -c '^differs: ' <<<"$output")" -eq 2 ]
}
