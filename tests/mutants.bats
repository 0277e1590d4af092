#!/usr/bin/env bats
# Wrong and right system resets: which ones the suite lets past.

load lib/setup

@test "a name that no mutant has is one line, and the names there are" {
	run make -s mutants MUTANTS=no-such
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[0]} == "error: tests/mutants has no 'no-such' (it has: "*lock-of-caller* ]]
}

@test "a wrong one that passes and a right one that fails are both reported" {
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR/tests/mutants"
	sed '1s/.*/Nothing wrong.\n\nCaught-by: reset_stops_every_vcpu/' right/guard.diff >wrong/harmless.diff
	cp wrong/lock-of-caller.diff right/the-bug.diff
	sed 's/^Caught-by: .*/Caught-by: reset_stops_every_vcpu/' wrong/lock-none.diff >wrong/other-case.diff
	BUILD=$build KERNELS=$vulnerable CPUS=4 run "$BATS_TEST_TMPDIR/bin/mutants" harmless the-bug other-case guard
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"WRONG wrong/harmless "* && $output == *"WRONG right/the-bug "* ]]
	[[ $output == *"WRONG wrong/other-case "* && $output == *"ok    right/guard "* ]]
}

@test "no wrong system reset gets past the suite, and no right one trips it" {
	# The other kernel, too, would take more time than CI has.
	make -s mutants KERNELS=$vulnerable >"$BATS_TEST_TMPDIR/table" 2> >(sed 's/^/# /' >&3) ||
		{ cat "$BATS_TEST_TMPDIR/table"; return 1; }
	# At least 40 wrong and 8 right ones, on one and on four CPUs.
	[ "$(grep -c '^ok    wrong/' "$BATS_TEST_TMPDIR/table")" -ge $((40 * 2)) ]
	[ "$(grep -c '^ok    right/' "$BATS_TEST_TMPDIR/table")" -ge $((8 * 2)) ]
}

@test "each case of the suite is the only one to catch some mutant" {
	table=$build/results/mutants/table.tsv
	while read -r case; do
		echo "$case"
		cut -f 2,5,7 "$table" | grep -qP "^wrong/.*\tfail\t$case\$"
	done < <(grep -oE 'KUNIT_CASE[A-Z_]*\(\w+' arch/riscv/kvm/vcpu_sbi_test.c | sed 's/.*(//')
}
