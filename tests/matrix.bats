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

# changed_by_assertion OPTIONS: of the objects whose source writes mp_state, those whose machine
# code changes with the assertion, in a configuration that a row has built
changed_by_assertion() {
	local tree=$build/trees/$fixed dir=$BATS_TEST_TMPDIR objects=(arch/riscv/kvm/vcpu{,_sbi}.o) key out state object built=1
	key=$(printf '%s' "gcc $1" | sha256sum) out=$build/out/$fixed-${key:0:8}
	for state in with without; do
		[ $state = with ] || engine/apply-patch --reverse "$tree" assert || return
		make -s -C "$tree" ARCH=riscv O="$out" CROSS_COMPILE=riscv64-linux-gnu- "${objects[@]}" >&2 || { built=; break; }
		for object in "${objects[@]}"; do riscv64-linux-gnu-objdump -dr "$out/$object" >"$dir/${object##*/}.$state"; done
	done
	[ $state = with ] || engine/apply-patch "$tree" assert || return
	[ -n "$built" ] || return
	for object in "${objects[@]##*/}"; do
		grep -qE '^ +[0-9a-f]+:	[0-9a-f]' "$dir/$object.with" || { echo "$object has no code"; return 1; }
		cmp -s "$dir/$object.with" "$dir/$object.without" || echo "$object"
	done
}

# bats test_tags=slow
@test "without lockdep, the assertion costs not one instruction" {
	changed=$(changed_by_assertion PROVE_LOCKING=n)
	echo "$changed"
	[ -z "$changed" ]
}

# bats test_tags=slow
@test "with lockdep, that it is there shows in the code" {
	changed=$(changed_by_assertion MODULES=y,KVM=m,KUNIT=m,BLK_DEV_INITRD=y)
	echo "$changed"
	[ "$changed" = vcpu.o$'\n'vcpu_sbi.o ]
}
