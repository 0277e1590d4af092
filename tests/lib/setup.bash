# SPDX-License-Identifier: GPL-2.0-only
# Loaded by each test file.
# shellcheck shell=bash disable=SC2034,SC2154 # set here, read there, or by bats

top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
build=$(realpath -m "${BUILD:-$top/build}")
# Each command is to be tried as a user would, with no variable of `make check`.
# GIT_CONFIG_GLOBAL=/dev/null is for commands that only read: `git config --global` of a
# test would replace that file.
unset "${!GIT_@}"
unset KDIR REV OUT TESTS SIGNOFF MUTANTS KERNELS CPUS ROWS N LLVM QEMU_ARGS TIMEOUT RUNS BEGAN MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
cd "$top" || exit

vulnerable=6.12.8 fixed=7.3.4
# How many cases the suites have there, and how many of them are slow.
cases_vulnerable=23 cases_fixed=26 cases_slow=1

# bases: all of them with `make check-all`, else those whose patches are committed
bases() { awk -v all="${ALL:-}" '/^[0-9]/ && (all || $4 == "committed") { print $1 }' series/bases; }

# fetch_bases: have all of them unpacked that the archive still has
fetch_bases() {
	local version status
	for version in $(bases); do
		status=0
		engine/fetch-kernel "$version" || status=$?
		[ $status != 4 ] || echo "# the archive has Linux $version no more: not tested" >&3
		[ $status = 0 ] || [ $status = 4 ]
	done
}

# make_all: the patches for all of these, in $patches; patched: which ones
patches=${BATS_FILE_TMPDIR:-}/patches
make_all() { fetch_bases && KERNELS=$(bases | xargs) OUT=$patches bin/series; }
patched() { (cd "$patches" && printf '%s\n' linux-* | cut -c 7-); }

# flat VERSION: a directory with the patches that `make patches` makes for this very kernel
flat() {
	local flat=$BATS_FILE_TMPDIR/flat-$1
	[ -d "$flat" ] || (cd "$top" && unset REV && BUILD=$build bin/patches "$(engine/fetch-kernel "$1")" "$flat" >/dev/null 2>&1)
	echo "$flat"
}
# same DIR VERSION: these are the same, but for the base-commit that a git tree has
same() {
	diff -r -x 0000-cover-letter.txt "$1" "$(flat "$2")"
	diff -I '^base-commit: [0-9a-f]*$' -I '^$' "$1/0000-cover-letter.txt" "$(flat "$2")/0000-cover-letter.txt"
}

# one_line: that is all a user sees of an error
one_line() {
	[ "$(wc -l <<<"$output")" -eq 1 ] || { echo "more than one line: $output"; return 1; }
	[[ $output == "error: "* ]] || { echo "no error: $output"; return 1; }
}

# snapshot DIR: every file with its times and content-changing metadata; shared DIR: the same
# where others may make links to the files meanwhile
snapshot() { find "$1" -printf "%P %y %s %T@ %m ${2-%C@ %n}\n" | sort | sha256sum; }
shared() { snapshot "$1" ''; }

# small_tree VERSION DIR: what check-kdir and the series look at of a kernel
small_tree() {
	local kernel
	kernel=$(engine/fetch-kernel "$1")
	mkdir -p "$2"
	(cd "$kernel" && tar -c Makefile Kbuild MAINTAINERS arch/riscv/kvm arch/riscv/include/asm lib/kunit \
		Documentation/virt/kvm Documentation/dev-tools/kunit/api/index.rst tools/testing/selftests/kvm/{Makefile*,lib/kvm_util.c}) | tar -x -C "$2"
}

# in_place_of_the_reset FILE KERNEL: its vcpu_sbi.c with that file of tests/triage
in_place_of_the_reset() {
	awk -v file="$1" '/^void kvm_riscv_vcpu_sbi_system_reset/ { while ((getline line <file) > 0) if (line !~ /^\/\/ [A-Z]/) print line; skip = 1 }
		!skip
		/^}/ { skip = 0 }' "$2/arch/riscv/kvm/vcpu_sbi.c"
}

# in_git DIR: commit all of it
in_git() {
	git -C "$1" init -q
	git -C "$1" add -A
	git -C "$1" -c user.name=Tester -c user.email=tester@example.org commit -q -m tree
}

# interrupted PATTERN COMMAND...: a command that is told to end once one of its
# processes matches ends soon, in failure, and leaves nobody and nothing behind
interrupted() {
	local pattern=$1 job i dir pid
	shift
	setsid "$@" >"$BATS_TEST_TMPDIR/interrupted" 2>&1 3>&- &
	job=$!
	for ((i = 0; i < 1500; i++)); do
		pgrep -s "$job" -f "$pattern" >/dev/null && break
		kill -0 "$job"
		sleep 0.2
	done
	kill -TERM -- "-$job"
	status=0
	wait "$job" || status=$?
	[ "$status" -ne 0 ] || return 1
	for ((i = 0; i < 50; i++)); do
		pgrep -s "$job" >/dev/null || break
		sleep 0.2
	done
	if pgrep -s "$job" -a; then return 1; fi
	# Others may be using $build: what counts is what nobody is left to remove.
	for dir in "$build"/tmp.*; do
		pid=${dir##*/tmp.}
		kill -0 "${pid%%.*}" 2>/dev/null || [ ! -e "$dir" ] || { echo "left behind: $dir"; return 1; }
	done
	flock -n "$build/lock" true
}
