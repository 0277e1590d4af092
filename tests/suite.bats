#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# The real thing: kernels built, booted, and the suite's verdict.

load lib/setup

# kunit ARGUMENTS: the main job, its progress shown as it goes
kunit() {
	status=0
	make -s kunit "$@" >"$BATS_TEST_TMPDIR/output" 2> >(tee "$BATS_TEST_TMPDIR/errors" | sed 's/^/# /' >&3) || status=$?
	output=$(cat "$BATS_TEST_TMPDIR/output" "$BATS_TEST_TMPDIR/errors")
	echo "$output"
}

# row NAME EXPECTED REST: the table has this row, whatever its spacing
row() { tr -s ' ' <"$BATS_TEST_TMPDIR/output" | grep -q "^$1 $2 $3"; }

@test "the suite tells the bug from the fix on 6.12.8, whatever the user's variables are" {
	export SUITE=example KUNITCONFIG=/nowhere APPEND=kunit.action=list SUITE_RUNS=0
	kunit
	[ "$status" -eq 0 ]
	row 'without fix' fail fail
	row 'with fix' pass "pass $cases_vulnerable passed, 0 failed, 0 skipped"
	[[ $output == *"The tree has the bug."* ]]
	for case in {reset,write}_holds_lock_of_target_only reset_takes_lock_of_every_vcpu; do
		[[ $output == *"  $case"* ]]
	done
}

@test "each failure names the caller, the vCPU and the lock held instead" {
	log=$build/results/kunit/without-fix/suite.ktap
	state='vcpu->arch.mp_state.mp_state' lock='vcpu->arch.mp_state_lock'
	for caller in 0 1 2 3; do
		for target in 0 1 2 3; do
			for event in shutdown reset; do
				run grep -F "$event by vCPU $caller: $state of vCPU $target written without $lock of vCPU $target; held: $lock of vCPU $caller; seen at kvm_riscv_vcpu_sbi_system_reset+" "$log"
				[ "$status" -eq $((caller == target)) ]
			done
		done
	done
}

@test "the results can be read by tools and agree" {
	for row in without with; do
		results=$build/results/kunit/$row-fix
		failed=$(grep -c '^    not ok ' "$results/suite.ktap" || true)
		[ "$(xmllint --xpath 'sum(//testsuite/@tests)' "$results/junit.xml")" = $cases_vulnerable ]
		[ "$(xmllint --xpath 'count(//testsuite)' "$results/junit.xml")" = 3 ]
		[ "$(xmllint --xpath 'sum(//testsuite/@failures)' "$results/junit.xml")" = "$failed" ]
		# A case with parameters is a group of its own there.
		[ "$(perl -MJSON::PP -0777 -ne 'sub failed { scalar grep { $_->{status} eq "FAIL" } @{$_[0]{test_cases}} }
			for $suite (@{decode_json($_)->{sub_groups}}) {
				$n += failed($suite) + grep { failed($_) } @{$suite->{sub_groups}};
			}
			print $n' "$results/kunit.json")" = "$failed" ]
	done
	# Each failure is explained by its own messages.
	run xmllint --xpath 'string(//testcase[@name="reset_holds_lock_of_target_only"]/failure)' "$build/results/kunit/without-fix/junit.xml"
	[[ $output == *"written without"* && $output != *"legacy shutdown"* ]]
}

# bats test_tags=slow
@test "the suite passes on several CPUs, and fails there without the fix" {
	for args in '-smp 4' '-smp 2 -accel tcg,thread=single'; do
		kunit QEMU_ARGS="$args"
		[ "$status" -eq 0 ]
	done
}

@test "a kernel that hangs is a verdict of its own, in time" {
	# The emulated CPU is never started.
	began=$SECONDS
	TIMEOUT=5 QEMU_ARGS=-S run engine/run-suite "$build/trees/$vulnerable" "$build/out/$vulnerable" "$BATS_TEST_TMPDIR/results"
	echo "$output"
	[ "$status" -eq 3 ]
	[[ ${lines[0]} == *'the kernel has not started'*'booting it once more' && ${lines[1]} == hang$'\t'* ]]
	[ $((SECONDS - began)) -lt 30 ]
}

@test "a QEMU that dies is told apart from a failing test" {
	QEMU_ARGS='-machine none' run engine/run-suite "$build/trees/$vulnerable" "$build/out/$vulnerable" "$BATS_TEST_TMPDIR/results"
	echo "$output"
	[ "$status" -eq 3 ]
	[[ ${lines[0]} == *'the kernel has not started'*'booting it once more' && ${lines[1]} == died$'\t'* ]]
}

@test "a kernel that hangs in a case: the case is named" {
	# One case waits for ever for a lock that is never free, interrupts off.
	tree=$build/trees/$vulnerable out=$build/out/$vulnerable
	sed -i 's/^static void reset_stops_every_vcpu.*/&\n{\n\tlocal_irq_disable();\n\tfor (;;)\n\t\tcpu_relax();\n}\nstatic void __maybe_unused unused(struct kunit *test)/' \
		"$tree/arch/riscv/kvm/vcpu_sbi_test.c"
	engine/build-kernel "$tree" "$out"
	TIMEOUT=10 run engine/run-suite "$tree" "$out" "$BATS_TEST_TMPDIR/results"
	echo "$output"
	[ "$status" -eq 3 ]
	[[ $output == hang$'\t'*"in case reset_stops_every_vcpu" ]]
}

@test "a complaint in the kernel's log is no pass" {
	tree=$build/trees/$vulnerable out=$build/out/$vulnerable
	cp arch/riscv/kvm/vcpu_sbi_test.c "$tree/arch/riscv/kvm/"
	sed -i 's/^\tmutex_init(/\tWARN_ON_ONCE(1);\n&/' "$tree/arch/riscv/kvm/vcpu_test_vm.c"
	engine/build-kernel "$tree" "$out"
	run engine/run-suite "$tree" "$out" "$BATS_TEST_TMPDIR/results"
	echo "$output"
	[ "$status" -eq 1 ]
	# Nor is it the failure that the row without the fix has to show.
	[[ $output == unclean$'\t'"$cases_vulnerable passed"*"the kernel printed a splat: WARNING:"* ]]
}

# bats test_tags=slow
@test "interrupted while it builds, and then run again" {
	interrupted "make -C $build/trees/$vulnerable" make -s kunit
	kunit
	[ "$status" -eq 0 ]
}

# bats test_tags=slow
@test "stock kunit.py passes with the fix on the tree that the main job leaves" {
	cd "$build/trees/$vulnerable"
	run tools/testing/kunit/kunit.py run --arch=riscv --cross_compile=riscv64-linux-gnu- \
		--kunitconfig=arch/riscv/kvm --build_dir="$build/out/stock"
	[ "$status" -eq 0 ]
	[[ $output == *"Testing complete. Ran $((cases_vulnerable + 3)) tests: passed: $((cases_vulnerable + 3))"* ]]
}

# bats test_tags=slow
@test "a tree of one's own that has the fix: the bug is put back, in a copy (7.3.4)" {
	kdir=$(engine/fetch-kernel $fixed)
	before=$(shared "$kdir")
	kunit KDIR="$kdir"
	[ "$status" -eq 0 ]
	row 'without fix' fail fail
	row 'with fix' pass "pass $cases_fixed passed, 0 failed, 0 skipped"
	[[ $output == *"the bug was put back"* ]]
	[ "$(shared "$kdir")" = "$before" ]
}

# bats test_tags=slow
@test "a reset that triage does not understand is judged as it is: two wrong ones, two right ones" {
	tree=$BATS_TEST_TMPDIR/tree
	cp -al "$(engine/fetch-kernel $vulnerable)" "$tree"
	for file in tests/triage/{w29-*,w98-*,r07-*,r62-*}.c; do
		in_place_of_the_reset "$file" "$(engine/fetch-kernel $vulnerable)" >"$BATS_TEST_TMPDIR/new.c"
		cp --remove-destination "$BATS_TEST_TMPDIR/new.c" "$tree/arch/riscv/kvm/vcpu_sbi.c"
		before=$(shared "$tree/arch")
		status=0
		bin/triage --run "$tree" >"$BATS_TEST_TMPDIR/output" 2> >(sed 's/^/# /' >&3) || status=$?
		cat "$BATS_TEST_TMPDIR/output"
		right=$(sed -n 's,^// Right: ,,p' "$file")
		grep -q "^unknown" "$BATS_TEST_TMPDIR/output"
		grep -q "^$right: " "$BATS_TEST_TMPDIR/output"
		[ "$status" -eq $([ "$right" = vulnerable ] && echo 1 || echo 0) ]
		[ "$(shared "$tree/arch")" = "$before" ]
	done
}
