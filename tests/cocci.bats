#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The semantic patch, on small functions and on the one that it was made for.

load lib/setup

patch=scripts/coccinelle/locks/sibling_lock.cocci

setup_file() { bin/install-tools check; }

# whole FILE: with the objects that it shares with others, as $whole
whole() { whole=$BATS_TEST_TMPDIR/${1##*/}; sed -e '/^#include "unit.h"$/{r tests/cocci/unit.h' -e 'd}' "$1" >"$whole"; }

# report FILE...: what it says of these
report() { spatch --very-quiet -D report --no-show-diff --no-includes --include-headers --cocci-file "$patch" "$@" 2>/dev/null; }

@test "spatch understands it, and it has each mode that coccicheck asks for" {
	spatch --parse-cocci "$patch" >/dev/null 2>&1
	for mode in context org report; do grep -qx "virtual $mode" "$patch"; done
}

@test "each wrong write is found" {
	for file in tests/cocci/found/*.c; do
		echo "$file"
		whole "$file"
		found=$(report "$whole" | cut -d : -f 2 | sort -nu)
		[ -n "$found" ]
		# Some files mark their wrong writes.
		marked=$(sed -n '/\/\* found \*\//=' "$whole")
		[ -z "$marked" ] || diff <(echo "$found") <(echo "$marked")
	done
}

@test "nothing is found in a right one" {
	for file in tests/cocci/clean/*.c; do
		whole "$file"
		run report "$whole"
		echo "$file: $output"
		[ -z "$output" ]
	done
}

@test "what its head says is not reported is not" {
	for file in tests/cocci/missed/*.c; do
		whole "$file"
		run report "$whole"
		echo "$file: $output"
		[ -z "$output" ]
	done
}

@test "in 6.12.8 it finds the bug and nothing else of KVM, with the fix nothing" {
	tree=$BATS_TEST_TMPDIR/tree
	small_tree $vulnerable "$tree"
	run report --dir "$tree/arch/riscv/kvm"
	echo "$output"
	[ "$(wc -l <<<"$output")" -eq 1 ]
	[[ $output == *"vcpu_sbi.c:143:"* ]]
	engine/apply-patch "$tree" fix
	run report --dir "$tree/arch/riscv/kvm"
	[ -z "$output" ]
}
