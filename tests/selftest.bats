#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# The selftest of the series in real guests, and what is made of what it prints.

load lib/setup

# read_as NAME: what run-suite would make of a console, given as standard input
read_as() {
	mkdir -p "$BATS_TEST_TMPDIR/results"
	awk '{ print NR / 4, $0 }' | awk -v times="$BATS_TEST_TMPDIR/results/times.tsv" -f engine/kselftest.awk \
		>"$BATS_TEST_TMPDIR/results/kernel.log"
	SUITE=$1 run engine/read-log "$BATS_TEST_TMPDIR/results" "${2:-}"
	echo "$output"
}

tap=$'Linux version\n# selftest some-test begins\nTAP version 13\n1..2\n# Starting 2 tests\n#  RUN           some.16.case ...\n#            OK  some.16.case\nok 1 some.16.case\n#  RUN           other ...'

@test "TAP: passed, failed and skipped cases, and the time of each" {
	read_as some-test <<<"$tap"$'\nok 2 other # SKIP no reason\n# selftest some-test exits with 0\nreboot: Restarting'
	[ "$output" = $'pass\t1 passed, 0 failed, 1 skipped\t' ]
	[ "$(cat "$BATS_TEST_TMPDIR/results/times.tsv")" = $'some.16.case\t0.50\nother\t0.25' ]
	grep -q '<testcase name="some.16.case"' "$BATS_TEST_TMPDIR/results/junit.xml"
	rm "$BATS_TEST_TMPDIR/results/"*
	read_as some-test <<<"$tap"$'\nnot ok 2 other\n# selftest some-test exits with 1'
	[[ $output == $'fail\t1 passed, 1 failed, 0 skipped\t'* ]]
}

@test "TAP that ends too early, and an exit status that says otherwise, do not pass" {
	read_as some-test <<<"$tap"$'\n# selftest some-test exits with 0'
	[[ $output == $'unclean\t1 passed, 0 failed, 0 skipped\tcases are missing' ]]
	read_as some-test <<<"$tap"$'\nok 2 other\n# selftest some-test exits with 1'
	[[ $output == $'fail\t2 passed, 1 failed, 0 skipped\t'* ]]
	read_as some-test <<<"$tap"$'\nok 2 other\n# selftest some-test is killed by signal 11'
	[[ $output == $'fail\t2 passed, 1 failed, 0 skipped\t'* ]]
	read_as some-test <<<"$tap"
	[[ $output == $'died\t\t'* ]]
	read_as some-test 120 <<<"$tap"
	[ "$output" = $'hang\t\tnot finished within 120 s, in case other' ]
}

@test "a selftest without TAP is one case, by its exit status" {
	read_as plain <<<$'# selftest plain begins\nfine\n# selftest plain exits with 0'
	[ "$output" = $'pass\t1 passed, 0 failed, 0 skipped\t' ]
	"$(engine/fetch-kernel $fixed)/tools/testing/kunit/kunit.py" parse "$BATS_TEST_TMPDIR/results/suite.ktap"
	read_as plain <<<$'# selftest plain begins\nbad\n# selftest plain exits with 254'
	[[ $output == $'fail\t0 passed, 1 failed, 0 skipped\t'* ]]
	read_as plain <<<$'# selftest plain begins\n1..0 # SKIP - not here\n# selftest plain exits with 4'
	[[ $output == $'unclean\t0 passed, 0 failed, 1 skipped\t'* ]]
	grep -q '^    ok 1 main # SKIP not here$' "$BATS_TEST_TMPDIR/results/kernel.log"
}

@test "a run under the kernel's runner that was cut off does not pass, nor one without a result" {
	runner=$'# selftest run_kselftest.sh begins\nTAP version 13\n1..1\n# timeout set to 120\n# selftests: kvm: some-test\n# TAP version 13\n# 1..2\n# #  RUN           some.16.case ...\n# ok 1 some.16.case'
	read_as run_kselftest.sh <<<"$runner"$'\n# ok 2 other\nok 1 selftests: kvm: some-test\n# selftest run_kselftest.sh exits with 0'
	[ "$output" = $'pass\t1 passed, 0 failed, 0 skipped\t' ]
	read_as run_kselftest.sh <<<"$runner"$'\nnot ok 1 selftests: kvm: some-test # TIMEOUT 120 seconds\n# selftest run_kselftest.sh exits with 0'
	[[ $output == $'fail\t0 passed, 1 failed, 0 skipped\t'* ]]
	read_as run_kselftest.sh <<<"$runner"$'\n# selftest run_kselftest.sh exits with 0'
	[[ $output == $'unclean\t0 passed, 0 failed, 0 skipped\tcases are missing' ]]
	read_as run_kselftest.sh <<<"$runner"$'\nok 1 selftests: kvm: some-test # SKIP\n# selftest run_kselftest.sh exits with 0'
	[[ $output == $'unclean\t0 passed, 0 failed, 1 skipped\t'* ]]
}

@test "what the kernel complains of while all cases pass is unclean" {
	read_as some-test <<<"$tap"$'\nok 2 other\nWARNING: CPU: 0 PID: 1 at arch/riscv/include/asm/kvm_host.h:1 f+0x0\n# selftest some-test exits with 0'
	[[ $output == $'unclean\t2 passed, 0 failed, 0 skipped\tthe kernel printed a splat: WARNING: '*kvm_host.h:1* ]]
}

@test "a number of CPUs that is none, and a patch that is none, are a line" {
	run make -s selftest CPUS=many
	echo "$output"
	[[ ${lines[0]} == "error: CPUS must list "*"'many'" ]]
	run make -s selftest WITHOUT=nothing
	[[ ${lines[0]} == "error: series/order has no patch 'nothing'" ]]
}

# bats test_tags=slow
@test "real guests are reset before the series, with it, and with the bug put back" {
	make -s selftest KERNELS=$vulnerable CPUS=4 TEST_ARGS="-V 64" >"$BATS_TEST_TMPDIR/table" 2> >(sed 's/^/# /' >&3) ||
		{ cat "$BATS_TEST_TMPDIR/table"; return 1; }
	table=$build/results/selftest/table.tsv
	for name in sbi_system_reset_test sbi_system_reset_race_test run_kselftest.sh; do
		[ "$(awk -F '\t' -v name=$name '$5 == "series" && $2 == name && $6 == "pass"' "$table" | wc -l)" -eq 1 ]
	done
	# Both selftests, each well within the time limit that the runner names
	results=$build/results/selftest/$vulnerable/4/series/run_kselftest.sh
	[ "$(grep -c '# timeout set to 120' "$results/kernel.log")" -eq 2 ]
	awk '{ n++; slow += $2 > 90 } END { exit n != 2 || slow }' "$results/times.tsv"
	awk -F '\t' '$5 == "series-fix" { print $9 }' "$table" | grep -q 'kvm_host.h:[0-9]* '
	# The other selftests are of no use if they are skipped.
	[ "$(awk -F '\t' '$5 == "base" && $6 == "pass"' "$table" | wc -l)" -ge 3 ]
	xmllint --noout "$build/results/selftest/$vulnerable/4/series/sbi_system_reset_test/junit.xml"
}

# bats test_tags=slow
@test "with the bug it fails, and names the place" {
	run make -s selftest WITHOUT=fix KERNELS=$vulnerable CPUS=1 TEST_ARGS="-t event" 3>&-
	echo "$output"
	[ "$status" -eq 2 ]
	[[ $output == *"WRONG  sbi_system_reset_test "*" series-fix "*" unclean "*"kvm_host.h:"*"kvm_riscv_"* ]]
}

# bats test_tags=slow
@test "without a hypervisor, the selftest is skipped and says why" {
	out=$build/out/userspace-$vulnerable
	QEMU_ARGS="-cpu rv64,h=false" run engine/run-suite "$build/trees/$vulnerable" "$out" "$BATS_TEST_TMPDIR/results" \
		"$out/arch/riscv/kvm/kvm.ko" riscv/sbi_system_reset_test
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == $'skip\t0 passed, 0 failed, 1 skipped\tCannot open /dev/kvm'* ]]
}

# bats test_tags=slow
@test "the kernel's runner cuts off a selftest, and that is no pass" {
	out=$build/out/userspace-$vulnerable
	run engine/run-suite "$build/trees/$vulnerable" "$out" "$BATS_TEST_TMPDIR/results" \
		"$out/arch/riscv/kvm/kvm.ko" run_kselftest.sh -o 2 -t kvm:sbi_system_reset_test
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == $'fail\t0 passed, 1 failed, 0 skipped\t'* ]]
	grep -q 'not ok 1 selftests: kvm: sbi_system_reset_test # TIMEOUT 2 seconds' "$BATS_TEST_TMPDIR/results/kernel.log"
}

# bats test_tags=slow
@test "in the least memory that the kernel boots in, 64 vCPUs are a verdict, no hang" {
	out=$build/out/userspace-$vulnerable
	QEMU_ARGS="-m 76" run engine/run-suite "$build/trees/$vulnerable" "$out" "$BATS_TEST_TMPDIR/results" \
		"$out/arch/riscv/kvm/kvm.ko" riscv/sbi_system_reset_test -a -r vcpus.64.legacy_shutdown
	echo "$output"
	[[ $output == @(pass|fail|died|unclean)* ]]
}

# bats test_tags=slow
@test "wrong kernels that only a guest notices are caught, each by its cases" {
	make -s selftest-mutants KERNELS=$vulnerable >"$BATS_TEST_TMPDIR/table" 2> >(sed 's/^/# /' >&3) ||
		{ cat "$BATS_TEST_TMPDIR/table"; return 1; }
	[ "$(grep -c '^ok' "$BATS_TEST_TMPDIR/table")" -ge 13 ]
}

# bats test_tags=slow
@test "a wrong kernel that is not caught is reported" {
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR/tests/selftest-mutants"
	rm ./*
	sed '1s/.*/Nothing wrong.\n\nCaught-by: legacy_shutdown/' "$top/tests/mutants/right/guard.diff" >harmless.diff
	BUILD=$build KERNELS=$vulnerable TEST_ARGS="-v 4" run "$BATS_TEST_TMPDIR/bin/selftest-mutants"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"WRONG  harmless "*" pass "* ]]
	sed -i 's/legacy_shutdown/shutdown/' harmless.diff
	BUILD=$build KERNELS=$vulnerable run "$BATS_TEST_TMPDIR/bin/selftest-mutants"
	[[ $output == "error: tests/selftest-mutants/harmless.diff names no case, or one that does not exist" ]]
}
