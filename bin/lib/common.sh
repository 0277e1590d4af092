# Sourced by the commands in bin/: where things are, and how they speak.
# shellcheck shell=bash disable=SC2034 # what is set here is read there

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath -m "${BUILD:-$top/build}")
cross_compile=${CROSS_COMPILE:-riscv64-linux-gnu-}
export BUILD=$build
# Which suites, as a regular expression and as kunit.py has it, and the configuration
# for them: a directory in the tree, or a file.
suite=${SUITE:-riscv_kvm_vcpu_[a-z_]*} suite_glob=${SUITE:-riscv_kvm_vcpu_*} kunitconfig=${KUNITCONFIG:-arch/riscv/kvm}
# what a kernel with guest/init.c for its userspace has besides: KVM as a module, to have
# it in many versions; and what a selftest needs, with the C library that it comes with
with_userspace=(BLK_DEV_INITRD=y MODULES=y MODULE_UNLOAD=y KVM=m DEBUG_FS=y KUNIT_DEBUGFS=y PROC_FS=y
	FUTEX=y POSIX_TIMERS=y SHMEM=y PERF_EVENTS=y RISCV_SBI_V01=y)
# what a kernel's log has if something is wrong with the kernel
complaints='WARNING:|BUG:|INFO: (task|rcu|possible|trying)|rcu.*(stall|self-detected)|Oops|Kernel panic|suspicious RCU|kmemleak: [1-9][0-9]* new'

# the one of these after which lockdep goes on: kvm_riscv_set_mp_state() asserts
assertion='WARNING: .*asm/kvm_host[.]h:[0-9]+'

# git must neither take a tree below build/ for a part of this repository nor
# follow the user's settings where the result is to be the same everywhere.
export GIT_CEILING_DIRECTORIES=$build GIT_OPTIONAL_LOCKS=0 LC_ALL=C.UTF-8 TZ=UTC
# A user's tree may belong to somebody else: it is only read.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'

# Nor is a kernel's build to follow the make that called us.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES ARCH KBUILD_OUTPUT KCONFIG_CONFIG

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit "${status:-2}"; }

# elapsed: the time since the user's command began, as m:ss
export BEGAN=${BEGAN:-$EPOCHSECONDS}
elapsed() { printf '%d:%02d' $(((EPOCHSECONDS - BEGAN) / 60)) $(((EPOCHSECONDS - BEGAN) % 60)); }

# scratch: a directory in $scratch that is gone when the command ends
scratch() {
	mkdir -p "$build" 2>/dev/null || die "cannot write to $build: set BUILD= to a directory that you own"
	scratch=$(mktemp -d "$build/tmp.XXXXXX") || die "cannot write to $build: is the disk full?"
	trap 'rm -rf "$scratch"' EXIT
}

# exclusive: nobody else uses $build, and there is room in it
needed_gib=5
exclusive() {
	[[ $build != *[[:space:]:]* ]] || die "kernels do not build below a path with a space or a colon: set BUILD="
	mkdir -p "$build" 2>/dev/null || die "cannot write to $build: set BUILD= to a directory that you own"
	exec 9>"$build/lock"
	flock -n 9 || die "another run is using $build: wait for it, or set BUILD= to another directory"
	local free
	free=$(df --output=avail -B1G "$build" | tail -n 1)
	((free >= needed_gib)) || die "$build has $((free)) GiB left and a kernel needs $needed_gib: make room, or set BUILD="
}

# An interrupt ends the command, not just what it is waiting for.
trap 'exit 130' INT TERM HUP

# table FILE: the file's lines without comments and blank ones
table() { sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' "$1"; }

bases() { table "$top/series/bases" | awk '{ print $1 }'; }
# belongs DIFF TREE: is it for a kernel like TREE? A line "If: FILE" or "Unless: FILE" at
# its head says for which kernels it is; without TREE it is for all.
belongs() {
	local condition file
	read -r condition file <"$top/$1"
	[ -n "$2" ] || return 0
	case $condition in
	If:) [ -e "$2/$file" ] ;;
	Unless:) [ ! -e "$2/$file" ] ;;
	esac
}

# diffs PATTERN [TREE]: the changes to existing files of the patches that match
diffs() {
	local diff
	(cd "$top" && find . -path ./build -prune -o -name "*.$1.diff" -printf '%P\n' | sort) | while read -r diff; do
		if belongs "$diff" "${2:-}"; then echo "$diff"; fi
	done
}

# touched [TREE]: the files that the series changes in a kernel
touched() { diffs "*" "$@" | sed 's/\.[a-z]*\.diff$//' | sort -u; }

# new_files: those that the series adds to one
new_files() { table "$top/series/order" | awk '{ for (i = 2; i <= NF; i++) print $i }'; }

patches() { table "$top/series/order" | awk '{ print $1 }'; }

# kernel_version TREE: its version as `make kernelversion` has it
kernel_version() {
	awk -F' *= *' '/^VERSION/ { v = $2 } /^PATCHLEVEL/ { p = $2 } /^SUBLEVEL/ { s = $2 }
		/^EXTRAVERSION/ { e = $2; exit } END { print v "." p (s == "" ? "" : "." s) e }' "$1/Makefile"
}

# last_line LOG: what a command that failed said at the end
last_line() { grep -v '^[[:space:]]*$' "$1" | tail -n 1 || true; }

# named DIR [PATTERN...]: the patches below tests/DIR, or those that are so called
named() {
	local dir=$1 pattern
	shift
	for pattern in "${@:-*}"; do
		find "$top/tests/$dir" -name "$pattern.diff" -printf '%P\n' | sed 's/\.diff$//' | grep . ||
			die "tests/$dir has no '$pattern' (it has: $(find "$top/tests/$dir" -name '*.diff' -printf '%f\n' | sed 's/\.diff$//' | sort | xargs))"
	done | sort -ru
}

# header PATCH NAME: what the head of a patch says under that name
header() { sed -n "s/^$2: //p" "$1"; }
