#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=slow, machine
# The same verdict every time, on a host that has other things to do.

load lib/setup

@test "sixty runs under load: not one wrong verdict" {
	make -s soak N=30 2> >(sed 's/^/# /' >&3)
}

@test "N that is no number is one line" {
	run make -s soak N=many
	[ "$status" -eq 2 ]
	[[ ${lines[0]} == "error: "* ]]
}

@test "interrupted while a machine runs: nothing stays busy" {
	interrupted qemu-system-riscv64 make -s soak N=30
}
