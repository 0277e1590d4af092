#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# How the commands speak: what they tell of themselves, and of a mistake.

load lib/setup

# run --separate-stderr
bats_require_minimum_version 1.5.0

commands() { find bin engine -type f -executable | sort; }

# one_error PATTERN: status 2, nothing but one line that matches
one_error() {
	echo "status $status: $output"
	[ "$status" -eq 2 ]
	one_line
	[[ $output == $1 ]]
}

# stripped: a PATH without the emulator, and with an apt-get that leaves a trace
stripped() {
	local dir
	path=$BATS_TEST_TMPDIR/path
	rm -rf "$path" && mkdir "$path"
	for dir in /usr/bin /usr/sbin; do cp -as "$dir/." "$path/" 2>/dev/null || true; done
	rm -f "$path"/{qemu-system-riscv64,hyperfine,spatch,apt-get,bats}
	printf '#!/bin/sh\ntouch "%s"\nexit 1\n' "$BATS_TEST_TMPDIR/installed" >"$path/apt-get"
	chmod +x "$path/apt-get"
}

@test "9. --help and -h of every command: what it does, its variables, its exit statuses" {
	[ "$(commands | wc -l)" -gt 30 ]
	for command in $(commands); do
		for option in --help -h; do
			run --separate-stderr timeout 20 "$command" $option
			echo "$command $option: status $status: $output $stderr"
			[ "$status" -eq 0 ]
			[[ ${lines[0]} == "${command##*/}"* && -z $stderr ]]
			[[ ${output,,} == *exit* ]]
			[[ $output == *BUILD=* || $command == */sparse-riscv ]]
			# Nothing of the program itself
			[[ $output != *"set -euo"* && $output != *'#!'* ]]
			# Each of the variables that a user may set for it
			for variable in $(grep -oE '\$\{(KDIR|REV|OUT|TESTS|SIGNOFF|MUTANTS|KERNELS|CHECKS|FULL|FORMAT|CPUS|ROWS|N|TEST_ARGS|WITHOUT|PARTS|RUNS|KERNEL|PUBLISH|JOBS|QEMU_ARGS|TIMEOUT):?-' "$command" | tr -d '${:-' | sort -u); do
				echo "$variable"
				[[ $output == *$variable* ]]
			done
		done
	done
}

@test "9. an unknown option is an error, not a tree, a row or a name" {
	export BUILD=$BATS_TEST_TMPDIR/build
	for command in $(commands | grep -v sparse-riscv); do
		for option in -x --foo; do
			run timeout 20 "$command" $option
			echo "$command $option"
			one_error "error: *$option*--help*"
		done
	done
	for command in bin/{triage,kunit,mutants}; do
		run timeout 20 "$command" "$BATS_TEST_TMPDIR" --foo
		one_error "error: *--foo*"
	done
	[ ! -e "$BUILD" ]
}

@test "9. a tree whose name begins with a dash: after --, as ./-x, and as KDIR=" {
	cd "$BATS_TEST_TMPDIR"
	small=$BATS_TEST_TMPDIR/-x
	(cd "$top" && small_tree $vulnerable "$small")
	run --separate-stderr "$top/bin/triage" -- -x
	echo "$output $stderr"
	[[ $status -eq 1 && $output == vulnerable* ]]
	run --separate-stderr "$top/bin/triage" ./-x
	[[ $status -eq 1 && $output == vulnerable* ]]
	KDIR=-x run --separate-stderr "$top/bin/triage"
	[[ $status -eq 1 && $output == vulnerable* ]]
	KDIR=-x OUT=-patches run "$top/bin/patches"
	echo "$output"
	[ "$status" -eq 0 ]
	same ./-patches $vulnerable
}

@test "10. bad arguments are refused before anything is installed, downloaded or built" {
	stripped
	export BUILD=$BATS_TEST_TMPDIR/build
	while read -r name command; do
		# The commands themselves: make would end with 2 in any case.
		eval "set -- $command"
		run env PATH="$path" "${@:2}" timeout 60 "bin/$1"
		echo "$name: $command"
		one_error "error: *$name*"
		[ ! -e "$BATS_TEST_TMPDIR/installed" ]
		[ ! -e "$BUILD/src" ]
	done <<-'END'
		CPUS selftest CPUS=x
		CPUS selftest-mutants CPUS=99
		CPUS mutants CPUS=0
		PARTS bench PARTS=x
		RUNS bench RUNS=x
		KERNEL bench KERNEL=9.9
		9.9 mutants "KERNELS=7.3.4 9.9"
		9.9 selftest "KERNELS=7.3.4 9.9"
		9.9 selftest-mutants "KERNELS=7.3.4 9.9"
		9.9 vmm "KERNELS=7.3.4 9.9"
		TEST_ARGS vmm "TEST_ARGS=-n x"
		9.9 bisect-proof "KERNELS=7.3.4 9.9"
		6.1.176 bisect-proof "KERNELS=7.3.4 6.1.176"
		9.9 lint "KERNELS=7.3.4 9.9"
		none lint CHECKS=none
		FULL lint FULL=/nowhere
		nothing selftest WITHOUT=nothing
		N soak N=x
		TIMEOUT kunit TIMEOUT=x
		TIMEOUT soak TIMEOUT=-1
		JOBS kunit JOBS=x
		nonsense check TESTS=nonsense
		nonsense selftest-mutants MUTANTS=nonsense
		nowhere kunit KDIR=/nowhere
		nowhere quick KDIR=/nowhere
	END
	PATH=$path run bin/lock-order 7.3.4 9.9
	one_error "error: *9.9*"
	[ ! -e "$BATS_TEST_TMPDIR/installed" ]
}

@test "11. a message names the truth: a file for a tree, /, a file for OUT" {
	touch "$BATS_TEST_TMPDIR/file"
	for tree in "$BATS_TEST_TMPDIR/file" "$BATS_TEST_TMPDIR/file/"; do
		run --separate-stderr bin/triage "$tree"
		echo "$output"
		[[ $output == unknown$'\t'*"a file, not a directory"* ]]
	done
	run --separate-stderr bin/triage /
	echo "$output"
	[[ $output == "unknown"$'\t'"/"$'\t'*"not the top of a kernel source tree"* ]]
	run bin/kunit "$BATS_TEST_TMPDIR/file"
	one_error "*a file, not a directory*"
	KDIR=$BATS_TEST_TMPDIR/file run bin/quick
	one_error "*a file, not a directory*"
	small_tree $vulnerable "$BATS_TEST_TMPDIR/tree"
	run bin/patches "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/file"
	one_error "*a file, not a directory*"
	[ -f "$BATS_TEST_TMPDIR/file" ]
	BUILD=$BATS_TEST_TMPDIR/file run bin/triage "$BATS_TEST_TMPDIR/tree"
	one_error "*a file, not a directory*"
}

@test "11. a BUILD that somebody else owns" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
	mkdir "$BATS_TEST_TMPDIR/tree"
	chmod a+rX "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
	BUILD=$BATS_TEST_TMPDIR/build run bin/triage "$BATS_TEST_TMPDIR/tree"
	[ -d "$BATS_TEST_TMPDIR/build" ]
	for command in bin/{triage,clean,kunit}; do
		BUILD=$BATS_TEST_TMPDIR/build run setpriv --reuid=65534 --clear-groups "$command" "$(realpath "$build/src/linux-$vulnerable")"
		echo "$command"
		one_error "error: *belongs to root*"
	done
	[ -d "$BATS_TEST_TMPDIR/build" ]
}

@test "11. a name that there is not: the nearest, in a line that fits a screen" {
	for name in nonsense lock-of-calller 'gaurd*'; do
		run bin/selftest-mutants $name
		one_error "error: *'$name'*"
		[ "${#output}" -lt 300 ]
		run bin/mutants $name
		one_error "error: *'$name'*"
		[ "${#output}" -lt 300 ]
	done
	[[ $output == *guard* ]]
}

@test "12. make hands on each variable as it was given" {
	for name in 'a $v' '$(x)' 'a$$b' 'a#b' "a'b" 'a"b' '${HOME}' 'a;b' 'a:b'; do
		tree=$BATS_TEST_TMPDIR/$name
		(small_tree $vulnerable "$tree")
		run --separate-stderr make -s triage KDIR="$tree"
		echo "$output"
		[[ $output == vulnerable$'\t'"$tree"$'\t'* ]]
		KDIR=$tree run --separate-stderr make -s triage
		echo "$output"
		[[ $output == vulnerable$'\t'"$tree"$'\t'* ]]
	done
}

@test "13. the README's line for CI fails where stock kunit.py ends well without having run a test" {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/tools"
	cp -r "$build/src/linux-$fixed/tools/testing" "$tree/tools/"
	cp -r "$build/src/linux-$fixed"/{MAINTAINERS,Makefile,Kbuild,README,COPYING,CREDITS,Kconfig} "$tree/"
	mkdir -p "$tree"/{arch,Documentation,drivers,include,fs,init,ipc,kernel,lib,scripts}
	sed -i "s,^OPENSBI_PATH = .*,OPENSBI_PATH = '/nowhere'," "$tree/tools/testing/kunit/qemu_configs/riscv.py"
	cd "$tree"
	line=$(sed -n "s,^    \(.*tools/testing/kunit/kunit.py run .*\),\1,p" "$top/README.md")
	[ -n "$line" ]
	# Stock kunit.py ends with 0.
	run tools/testing/kunit/kunit.py run --arch=riscv --cross_compile=riscv64-linux-gnu- --kunitconfig=arch/riscv/kvm
	echo "$status: $output"
	[[ $status -eq 0 && $output == *"not found"* ]]
	run bash -c "$line"
	echo "$status: $output"
	[ "$status" -ne 0 ]
	# An old kunit.json does not help.
	echo '{"name": "riscv_kvm_vcpu_sbi"}' >kunit.json
	run bash -c "$line"
	[ "$status" -ne 0 ]
	# And it lets a run with the suite pass, but none with a skipped case.
	cat >tools/testing/kunit/kunit.py <<-'END'
		#!/bin/sh
		for option; do case $option in --json=*) json=${option#--json=} ;; esac; done
		printf 'KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: riscv_kvm_vcpu_sbi\n    1..2\n    ok 1 case\n    ok 2 other%s\nok 1 riscv_kvm_vcpu_sbi\n' "$OTHER" >log
		exec python3 tools/testing/kunit/real.py parse --json="$json" log
	END
	cp "$build/src/linux-$fixed/tools/testing/kunit/kunit.py" tools/testing/kunit/real.py
	OTHER='' run bash -c "$line"
	echo "$status: $output"
	[ "$status" -eq 0 ]
	OTHER=' # SKIP no lockdep' run bash -c "$line"
	echo "$status: $output"
	[[ $status -ne 0 && $output == *"skipped: 1"* ]]
}
