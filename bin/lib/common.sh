# Sourced by the commands in bin/: where things are, and how they speak.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath -m "${BUILD:-$top/build}")
# shellcheck disable=SC2034 # read by the commands, as is the next
cross_compile=${CROSS_COMPILE:-riscv64-linux-gnu-}
suite=riscv_kvm_vcpu_sbi kunitconfig=arch/riscv/kvm

# git must neither take a tree below build/ for a part of this repository nor
# follow the user's settings where the result is to be the same everywhere.
export GIT_CEILING_DIRECTORIES=$build GIT_OPTIONAL_LOCKS=0 LC_ALL=C.UTF-8 TZ=UTC

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

# An interrupt ends the command, not just what it is waiting for.
trap 'exit 130' INT TERM HUP

# table FILE: the file's lines without comments and blank ones
table() { sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' "$1"; }

bases() { table "$top/series/bases" | awk '{ print $1 }'; }
patches() { table "$top/series/order" | awk '{ print $1 }'; }

# kernel_version TREE: its version as `make kernelversion` has it
kernel_version() {
	awk -F' *= *' '/^VERSION/ { v = $2 } /^PATCHLEVEL/ { p = $2 } /^SUBLEVEL/ { s = $2 }
		/^EXTRAVERSION/ { e = $2; exit } END { print v "." p (s == "" ? "" : "." s) e }' "$1/Makefile"
}

# last_line LOG: what a command that failed said at the end
last_line() { grep -v '^[[:space:]]*$' "$1" | tail -n 1 || true; }
