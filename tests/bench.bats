#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# From an edit to a verdict, and the measurements.

load lib/setup

# A tree of one's own in which one works, with the series applied.
setup_file() {
	cp -al "$(engine/fetch-kernel $vulnerable)" "$BATS_FILE_TMPDIR/tree"
	renew
}

renew() {
	engine/copy-tree --link "$(engine/fetch-kernel $vulnerable)" "$BATS_FILE_TMPDIR/tree"
	engine/apply-patch "$BATS_FILE_TMPDIR/tree"
}

quick() {
	run make -s quick "$@"
	echo "$output"
}

# bats test_tags=slow
@test "quick: the first time and soon after an edit, the verdict on the tree as it is" {
	tree=$BATS_FILE_TMPDIR/tree
	quick KDIR="$tree"
	[ "$status" -eq 0 ]
	[[ $output == *"pass: $((cases_vulnerable - cases_slow)) passed, 0 failed, 0 skipped. Linux $vulnerable."* ]]

	engine/apply-patch --reverse "$tree" fix
	before=$(shared "$tree/arch/riscv/kvm")
	began=$EPOCHSECONDS
	quick KDIR="$tree"
	[ "$status" -ne 0 ]
	[[ $output == *"  reset_holds_lock_of_target_only"*"fail: $((cases_vulnerable - cases_slow - 3)) passed, 3 failed, 0 skipped."* ]]
	# Not the bound, which `make bench` has, but far from a build.
	((EPOCHSECONDS - began < 20))
	[ "$(shared "$tree/arch/riscv/kvm")" = "$before" ]

	engine/apply-patch "$tree" fix
	quick KDIR="$tree"
	[ "$status" -eq 0 ]
}

# bats test_tags=slow
@test "quick: what does not compile, and what is no kernel, are a line" {
	tree=$BATS_FILE_TMPDIR/tree
	echo 'not C' >>"$tree/arch/riscv/kvm/vcpu_sbi.c"
	quick KDIR="$tree"
	[ "$status" -ne 0 ]
	[[ $output == *"error: KVM does not build: "*"vcpu_sbi.c:"*"error:"* ]]
	quick KDIR="$BATS_TEST_TMPDIR/nowhere"
	[[ ${lines[0]} == "error: KDIR: there is no $BATS_TEST_TMPDIR/nowhere" ]]
	mkdir "$BATS_TEST_TMPDIR/empty"
	quick KDIR="$BATS_TEST_TMPDIR/empty"
	[[ ${lines[0]} == "error: KDIR: $BATS_TEST_TMPDIR/empty is not a kernel with KVM for RISC-V: "* ]]
}

# bats test_tags=slow
@test "bench: the fix costs no instruction, and nobody is disturbed any more" {
	run make -s bench PARTS="cost waits" RUNS=1 KERNEL=$vulnerable 2> >(sed 's/^/# /' >&3)
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(cut -d ' ' -f 1 "$build/results/bench/waits-fix-disturbed")" -eq 0 ]
	[ "$(cut -d ' ' -f 1 "$build/results/bench/waits-bug-disturbed")" -gt 0 ]
	grep -E 'with the fix .* == 0 +kept$' "$build/results/bench/table.txt"
	# One reset reads and writes, locks and unlocks: it cannot be less.
	awk '{ exit !($1 > 10) }' "$build/results/bench/cost-fix"
}

@test "bench: a part that there is not, and RUNS that is no number, are a line" {
	run make -s bench PARTS="cost heat"
	[[ ${lines[0]} == "error: PARTS has no 'heat' (there are: "* ]]
	run make -s bench RUNS=some
	[[ ${lines[0]} == "error: RUNS must be a positive number"*"'some'" ]]
}

@test "the page on benchmarks has the table that was published" {
	first=$(head -n 1 bench/table.txt)
	diff <(grep -A "$(($(wc -l <bench/table.txt) - 1))" -F "    $first" docs/benchmarks.md) <(sed 's/^./    &/; s/ *$//' bench/table.txt)
	xmllint --noout bench/chart.svg
}
