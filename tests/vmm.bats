#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# Guests of a stock VMM are reset, and what is made of those that do not come up.

load lib/setup

# vmm ARGUMENT...: guest/vmm.c on this machine, with a shell script for its QEMU, which is
# given as standard input
vmm() {
	{ echo '#!/bin/bash'; cat; } >"$BATS_TEST_TMPDIR/qemu"
	chmod +x "$BATS_TEST_TMPDIR/qemu"
	gcc -Wall -Werror -DQEMU="\"${qemu:-$BATS_TEST_TMPDIR/qemu}\"" -DKVM="\"${kvm:-/dev/null}\"" -o "$BATS_TEST_TMPDIR/vmm" guest/vmm.c
	run timeout 30 "$BATS_TEST_TMPDIR/vmm" "$@" 3>&-
	echo "status $status: $output"
}

@test "the guest comes up after each reset, and QEMU ends well" {
	vmm -n 3 <<-'END'
		up() { echo "guest up: 4 CPUs busy"; }
		up
		while read -r line; do
			case $line in
			reboot | *system_reset) echo "$line" >>"$0.log"; up ;;
			poweroff | *poweroff) exit 0 ;;
			esac
		done
	END
	[ "$status" -eq 0 ]
	[[ $output == *$'\nok 1 guest_reboots\n'*$'\nok 2 monitor_resets' ]]
	[ "$(grep -c reboot "$BATS_TEST_TMPDIR/qemu.log")" -eq 3 ]
	[ "$(grep -c system_reset "$BATS_TEST_TMPDIR/qemu.log")" -eq 3 ]
}

@test "a guest that comes up with too few CPUs, or never, is a hang, and QEMU is gone" {
	vmm -t 1 <<-'END'
		echo $$ >>"$0.pids"
		echo "guest up: 3 CPUs busy"
		exec sleep 100
	END
	[ "$status" -eq 1 ]
	[[ $output == *"Test terminated by timeout"*$'\nnot ok 1 guest_reboots\n'*$'\nnot ok 2 monitor_resets' ]]
	for pid in $(cat "$BATS_TEST_TMPDIR/qemu.pids"); do
		if kill -0 "$pid" 2>/dev/null; then return 1; fi
	done
}

@test "QEMU that ends early, with an error, or that is not there, fails" {
	vmm <<<'echo "no memory" >&2; exit 1'
	[ "$status" -eq 1 ]
	[[ $output == *"# qemu: no memory"*"QEMU ended"*"not ok 1"*"not ok 2"* ]]
	vmm -n 1 <<<'for i in 1 2; do echo "guest up: 4 CPUs busy"; read -r line; done; exit 3'
	[ "$status" -eq 1 ]
	[[ $output == *"QEMU ended with wait status 0x300"*"not ok 1"* ]]
	qemu=/nowhere vmm </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"# qemu: /nowhere: No such file"*"not ok 2"* ]]
}

@test "no KVM is a skip that says why" {
	kvm=/nowhere vmm </dev/null
	[ "$status" -eq 4 ]
	[[ $output == *"1..0 # SKIP Cannot open /nowhere: No such file"* ]]
}

@test "a package or a release that the archive no longer has: a line, and nothing left behind" {
	export BUILD=$BATS_TEST_TMPDIR/build
	run engine/fetch-vmm no-such-package forky
	echo "$output"
	[ "$status" -eq 4 ]
	[[ ${lines[-1]} == "error: Debian forky has no no-such-package for riscv64 any more" ]]
	run engine/fetch-vmm qemu-system-riscv no-such-release
	echo "$output"
	[ "$status" -eq 2 ]
	[[ ${lines[-1]} == "error: cannot read the package list of Debian no-such-release: "* ]]
	[ "$(grep -c '^error: ' <<<"$output")" -eq 1 ]
	[ -z "$(find "$BUILD" -mindepth 1 ! -name .made-by-riscv-kvm)" ]
}

@test "interrupted while it downloads: nothing stays" {
	export BUILD=$BATS_TEST_TMPDIR/build
	build=$BUILD interrupted apt-get engine/fetch-vmm qemu-system-riscv forky
	[ ! -e "$BUILD/vmm" ]
}

# whole ARGUMENT...: the command on the kernel that `make kunit` uses
whole() {
	run env KERNELS=$vulnerable "$@" bin/vmm 3>&-
	echo "status $status: $output"
	if find "$build" -maxdepth 1 -name 'tmp.*' | grep .; then return 1; fi
}

# bats test_tags=slow
@test "guests are reset by themselves and by QEMU, with the series, and with the bug put back" {
	make -s vmm >"$BATS_TEST_TMPDIR/table" 2> >(sed 's/^/# /' >&3) || { cat "$BATS_TEST_TMPDIR/table"; return 1; }
	[ "$(grep -c '^ok .* series  *pass ' "$BATS_TEST_TMPDIR/table")" -eq 2 ]
	[ "$(grep -c '^ok .* series-fix .*kvm_host.h:' "$BATS_TEST_TMPDIR/table")" -eq 2 ]
}

# bats test_tags=slow
@test "a guest that never comes up is a hang" {
	whole TEST_ARGS="-t 20 -a rdinit=/nowhere"
	[ "$status" -eq 3 ]
	[[ $output == *"WRONG  vmm "*" hang "*"in case guest_reboots"* ]]
}

# bats test_tags=slow
@test "no KVM in the emulated machine is a line" {
	whole QEMU_ARGS="-cpu rv64,h=false"
	[ "$status" -eq 2 ]
	[[ ${lines[-1]} == "error: Cannot open /dev/kvm: "* ]]
}

# bats test_tags=slow
@test "too little memory is a verdict, with what QEMU said" {
	whole QEMU_ARGS="-m 160"
	[ "$status" -eq 1 ]
	[[ $output == *"WRONG  vmm "*" fail "*"Cannot allocate memory"* ]]
}
