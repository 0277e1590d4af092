# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the commands that boot a kernel: runs the emulated machine.
# shellcheck shell=bash disable=SC2154 # shared with common.sh

# After how many silent seconds a kernel counts as hung: $patience until it has started,
# $silence after that. A program may raise $silence.
patience=${TIMEOUT:-60} silence=${TIMEOUT:-60}
machine='' hung=''
cleanup() { [ -z "$machine" ] || kill "$machine" 2>/dev/null || true; }
scratch

# enough CONSOLE: the machine may be stopped; a program may define its own, and set $hung
enough() { false; }

# machine CONSOLE OUT APPEND [INITRD]: boot the kernel in OUT with the QEMU_ARGS, until it
# ends. CONSOLE gets its output, each line with its time of arrival. If it hangs, it is
# stopped, and $hung says after how many silent seconds.
# A kernel that has not started is booted once more: OpenSBI before 1.3 can start a hart
# before it stores the start address; the hart then boots the kernel again, over the one
# that runs.
machine() {
	run_machine "$@"
	! started "$1" || return 0
	say "[$(elapsed)] the kernel has not started${hung:+ in $hung s}: booting it once more"
	run_machine "$@"
}

# started CONSOLE: is there a kernel, with all its CPUs?
started() {
	grep -q 'Linux version' "$1" && { ! grep -q 'smp: Bringing up' "$1" || grep -q 'smp: Brought up' "$1"; }
}

run_machine() {
	local size=0 now last=$SECONDS limit=$patience arguments
	read -ra arguments <<<"${QEMU_ARGS:-}"
	hung=''
	: >"$1"
	qemu-system-riscv64 -nodefaults -nographic -serial stdio -no-reboot -machine virt -cpu rv64,sscofpmf=on -m 1024 \
		"${arguments[@]}" -kernel "$2/arch/riscv/boot/Image" ${4:+-initrd "$4"} -append "earlycon console=ttyS0 $3" \
		</dev/null > >(ts -s %.s >"$1") 2>&1 &
	machine=$!
	while kill -0 "$machine" 2>/dev/null; do
		sleep 0.2
		now=$(stat -c %s "$1")
		((now == size)) || size=$now last=$SECONDS
		((SECONDS - last < limit)) || ! started "$1" || limit=$silence
		((SECONDS - last < limit)) || hung=$limit
		if [ -n "$hung" ] || enough "$1"; then kill "$machine" 2>/dev/null || true; fi
	done
	wait "$machine" || true
	machine=
	# The last lines may still be on their way through ts.
	wait
}

# kernel_log CONSOLE: without the seconds, ours and the kernel's
kernel_log() { tr -d '\r' <"$1" | sed -E 's/^[0-9.]+ (\[ *[0-9.]+\] )?//'; }
