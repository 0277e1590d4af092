#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What is made of a kernel's log, whole and not.

load lib/setup

suite=riscv_kvm_vcpu_sbi

setup() { results=$BATS_TEST_TMPDIR; }

# log [CASE-LINE...]: the log of a kernel that ran three cases, with these results
log() {
	local i=0 line failed=0 passed=0 skipped=0
	echo 'KTAP version 1'
	echo '1..1'
	echo '    KTAP version 1'
	echo "    # Subtest: $suite"
	echo '    1..3'
	for line; do
		echo "    # case_$((++i)): begins"
		echo "    $line"
		case $line in
		*SKIP*) skipped=$((skipped + 1)) ;;
		ok*) passed=$((passed + 1)) ;;
		*) failed=$((failed + 1)) ;;
		esac
	done
	echo "# $suite: pass:$passed fail:$failed skip:$skipped total:$#"
	if [ $failed = 0 ]; then echo "ok 1 $suite"; else echo "not ok 1 $suite"; fi
}

# verdict VERDICT STATUS [LIMIT]
verdict() {
	run engine/read-log "$results" ${3:+"$3"}
	echo "$output"
	[ "$status" -eq "$2" ]
	[[ $output == "$1"$'\t'* ]]
}

@test "three cases that pass" {
	log 'ok 1 case_1' 'ok 2 case_2' 'ok 3 case_3' >"$results/kernel.log"
	verdict pass 0
	[ "$(xmllint --xpath 'string(//testsuite/@tests)' "$results/junit.xml")" = 3 ]
}

@test "one that fails" {
	log 'ok 1 case_1' 'not ok 2 case_2' 'ok 3 case_3' >"$results/kernel.log"
	verdict fail 1
}

@test "a case that is missing is no pass" {
	log 'ok 1 case_1' 'ok 2 case_2' >"$results/kernel.log"
	verdict unclean 1
	log 'ok 1 case_1' 'ok 2 case_2' 'ok 3 case_3' | grep -v 'ok 3' >"$results/kernel.log"
	verdict unclean 1
}

@test "nothing but skipped cases is no pass" {
	log 'ok 1 case_1 # SKIP' 'ok 2 case_2 # SKIP' 'ok 3 case_3 # SKIP' >"$results/kernel.log"
	verdict unclean 1
}

@test "a log that breaks off, wherever it does, is never a pass" {
	log 'ok 1 case_1' 'ok 2 case_2' 'ok 3 case_3' >"$results/whole"
	for ((n = 0; n < $(wc -l <"$results/whole"); n++)); do
		head -n "$n" "$results/whole" >"$results/kernel.log"
		run engine/read-log "$results"
		echo "$n lines: $output"
		[ "$status" -ne 0 ]
		[[ $output != pass* ]]
	done
}

@test "a log that breaks off while the clock runs out names the case" {
	log 'ok 1 case_1' 'ok 2 case_2' 'ok 3 case_3' | sed '/ok 2/,$d' >"$results/kernel.log"
	verdict hang 3 60
	[[ $output == *"not finished within 60 s, in case case_2" ]]
	verdict died 3
}

@test "each kind of complaint of a kernel spoils a pass" {
	for complaint in 'WARNING: CPU: 0 PID: 1 at kernel/x.c:1' 'BUG: sleeping function called from invalid context' \
		'INFO: task init:1 blocked for more than 10 seconds' 'rcu: INFO: rcu_preempt self-detected stall on CPU' \
		'WARNING: possible circular locking dependency detected' 'INFO: trying to register non-static key.' \
		'Kernel panic - not syncing: x' 'Oops [#1]' 'kmemleak: 1 new suspected memory leaks' 'WARNING: suspicious RCU usage'; do
		{ log 'ok 1 case_1' 'ok 2 case_2' 'ok 3 case_3'; echo "$complaint"; } >"$results/kernel.log"
		verdict unclean 1
	done
}

@test "two suites: the second one counts as well" {
	{
		log 'ok 1 case_1' 'ok 2 case_2' 'ok 3 case_3 # SKIP' | sed 's/^1\.\.1$/1..2/'
		log 'ok 1 case_4' 'ok 2 case_5' 'ok 3 case_6' | sed -e 1,2d -e 's/^ok 1/ok 2/' -e "s/$suite/riscv_kvm_vcpu_mp_state/"
	} >"$results/both"
	cp "$results/both" "$results/kernel.log"
	verdict pass 0
	[[ $output == *"5 passed, 0 failed, 1 skipped"* ]]
	[ "$(xmllint --xpath 'sum(//testsuite/@tests)' "$results/junit.xml")" = 6 ]
	sed -e 's/ok 2 case_5/not &/' -e 's/^ok 2/not ok 2/' -e 's/pass:3 fail:0/pass:2 fail:1/' "$results/both" >"$results/kernel.log"
	verdict fail 1
	[[ $output == *"4 passed, 1 failed, 1 skipped"* ]]
	sed '/Subtest: .*mp_state/,$d' "$results/both" >"$results/kernel.log"
	verdict died 3
	verdict hang 3 60
	sed '/ok 2 case_5/d' "$results/both" >"$results/kernel.log"
	verdict unclean 1
}

# machine FIRST REST: run-suite with a QEMU that prints FIRST and hangs, and REST the next time
machine() {
	mkdir -p "$results/bin" "$results/out"
	: >"$results/out/.config"
	printf '%s\n' "$@" >"$results/says"
	cat >"$results/bin/qemu-system-riscv64" <<-END
		#!/bin/bash
		[ ! -e "$results/again" ] || { sed 1d "$results/says"; exit; }
		: >"$results/again"
		sed 1q "$results/says"
		exec sleep 100
	END
	chmod +x "$results/bin/qemu-system-riscv64"
	TIMEOUT=2 PATH=$results/bin:$PATH run engine/run-suite "$(engine/fetch-kernel $vulnerable)" "$results/out" "$results/results"
	echo "$output"
}

@test "a kernel that hangs before all its CPUs have started is booted once more, one that hangs later is not" {
	for first in 'OpenSBI v1.1' 'Linux version, smp: Bringing up secondary CPUs ...'; do
		machine "$first" 'Linux version' "$(log 'ok 1 case_1' 'ok 2 case_2' 'ok 3 case_3')"
		[[ $output == *'the kernel has not started in 2 s: booting it once more'*$'pass\t3 passed, '* ]]
		rm "$results/again"
	done
	machine 'Linux version' 'Linux version' "$(log 'ok 1 case_1' 'ok 2 case_2' 'ok 3 case_3')"
	[[ $output == $'hang\t'* ]]
}
