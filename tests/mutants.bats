#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# Wrong and right writers of mp_state: which ones the suites let past.

load lib/setup

@test "a name that no mutant has is one line, and the names there are" {
	run make -s mutants MUTANTS=no-such
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[0]} == "error: tests/mutants has no 'no-such' (the nearest: "* ]]
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
	[[ $output == *"WRONG  wrong/harmless "* && $output == *"WRONG  right/the-bug "* ]]
	[[ $output == *"WRONG  wrong/other-case "* && $output == *"ok     right/guard "* ]]
}

@test "interrupted while a machine runs, and then run again" {
	interrupted qemu-system-riscv64 make -s mutants KERNELS=$vulnerable CPUS=1 MUTANTS='lock-none*'
	make -s mutants KERNELS=$vulnerable CPUS=1 MUTANTS=guard
}

@test "no wrong writer gets past the suites, and no right one trips them" {
	# The other kernel, and one CPU for all, is what make mutants does.
	for run in ${ALL:+"1 lock-* hart-start-* *guard irqsave"} "4 *"; do
		echo "# with CPUs and mutants: $run" >&3
		make -s mutants KERNELS=$vulnerable CPUS="${run%% *}" MUTANTS="${run#* }" \
			>"$BATS_TEST_TMPDIR/table" 2> >(sed 's/^/# /' >&3) || { cat "$BATS_TEST_TMPDIR/table"; return 1; }
	done
	[ "$(grep -c '^ok  *wrong/' "$BATS_TEST_TMPDIR/table")" -ge 150 ]
	[ "$(grep -c '^ok  *right/' "$BATS_TEST_TMPDIR/table")" -ge 40 ]
}

@test "each case is the only one of its suite to catch some mutant" {
	table=$build/results/mutants/table.tsv
	for suite in vcpu_sbi vcpu_mp_state vcpu_locks; do
		cases=$(grep -oE 'KUNIT_CASE(_PARAM)?\(\w+' "arch/riscv/kvm/${suite}_test.c" | sed 's/.*(//')
		while read -r case; do
			echo "$case"
			# Slow, or not for this kernel.
			[[ $case != @(set_mpstate_init_received_resets_vcpu|reset_of_many_vcpus|reset_state_needs_lock|irqs_pending_needs_lock) ]] || continue
			awk -F '\t' -v cases="${cases//$'\n'/ }" -v case="$case" '
				BEGIN { split(cases, names, " "); for (i in names) of_suite[names[i]] = 1 }
				$2 ~ /^wrong/ && $6 == "fail" {
					n = split($9, failed, " "); mine = 0; others = 0
					for (i = 1; i <= n; i++)
						if (failed[i] == case) mine = 1; else if (failed[i] in of_suite) others = 1
					if (mine && !others) found = 1
				}
				END { exit !found }' "$table"
		done <<<"$cases"
	done
}

@test "of each writer, three wrong ones with the wrong lock are caught by the assertion as well" {
	table=$build/results/mutants/table.tsv
	for writer in lock power-off power-on creation set-mpstate hart-start hart-stop; do
		echo "$writer"
		[ "$(awk -F '\t' -v w="^wrong/$writer-" '$2 ~ w && $6 == "fail" && $5 == "warns" && $4 == 4' "$table" | wc -l)" -ge 3 ]
	done
}
