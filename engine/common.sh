# SPDX-License-Identifier: GPL-2.0-only
# Sourced by each command: paths, messages and common functions.
# shellcheck shell=bash disable=SC2034,SC2317 # what is here is used there

# Keep the user's shell settings from us and from the programs we start: bash -p ignores
# BASH_ENV, functions and options in the environment, and the lines below remove them.
if [[ $- != *p* ]]; then
	# shellcheck disable=SC2046 # a word for each
	unset -f $(compgen -A function)
	exec bash -p "$0" "$@"
fi
export -n SHELLOPTS BASHOPTS
# bash 5.2 puts what was replaced where a replacement has an &, such as a path.
! shopt -q patsub_replacement 2>/dev/null || shopt -u patsub_replacement
unset CDPATH GLOBIGNORE BASH_ENV ENV POSIXLY_CORRECT LANGUAGE GREP_OPTIONS TAR_OPTIONS XZ_OPT XZ_DEFAULTS PERL5OPT PERL5LIB PERLLIB PERL_UNICODE
export LC_ALL=C.UTF-8 TZ=UTC HOME
# spatch ends without one
[ -n "${HOME:-}" ] || { unset HOME; export HOME=~; }
umask 022
unset died quiet

# What the user is told goes to the user, wherever the errors of a tool go.
[ -e /dev/fd/2 ] || exec 2>/dev/null
exec 8>&2
say() { printf '%s\n' "$*" >&8 || true; } 2>/dev/null
die() { say "error: $*"; exit "${died:-2}"; }

# A command that fails where nobody thought of it ends us with 2 and a line, since 1 is an
# answer. So is a comparison. One of our own has said why already, and a shell below this
# one leaves it to us; after `quiet`, what the tools said last is in that line.
unforeseen() {
	local said=''
	[[ $- == *e* ]] || return 0
	# shellcheck disable=SC2016 # as it stands in the command
	case $BASH_SUBSHELL/$1/$2 in
	[1-9]*) exit "$1" ;;
	0/1/'[ '*) exit 1 ;;
	0/*/*'$top/'[be]*/* | 0/2/*'$('* | 0/2/*'"$@"'*) [ -n "${quiet:-}" ] || exit "$1" ;;
	esac
	[ -z "${quiet:-}" ] || said=$(tail -n 1 "$scratch/stderr")
	! disk_full || die "the disk with $build is full"
	said=${said:-${0##*/} cannot go on: this failed with status $1: $2}
	die "${said#error: }"
} 2>/dev/null
disk_full() { [ -d "${build:-}" ] && [ "$(df --output=avail "$build" | tail -n 1)" = 0 ]; }
quiet() { exec 2>"$scratch/stderr" && quiet=1; }
set -E
trap 'unforeseen $? "$BASH_COMMAND"' ERR
# An interrupt ends the command, not just what it is waiting for.
trap 'exit 130' INT TERM HUP

top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)

# help: the head of the command, without its license, and what it has in common with others
# shellcheck disable=SC2016 # the same
help() {
	sed -n '1d; /^# SPDX-/d; /^[^#]/q; s/^# \{0,1\}//p' "$0"
	cat <<-END

		Variables: $({ grep -oE '\$\{[A-Z_]+:?-' "$0" || true; } | tr -d '${:-' | sort -u | sed 's/$/=/' | tr '\n' ' ')BUILD= and others: see make help.
		Exit status, unless it says otherwise: 0 done, or yes; 1 no; 2 it could not be tried,
		and a line that begins "error:" says why; 130 interrupted.
	END
}

# The options stand in $given. Behind -- a name may begin with a dash, and with the number
# of operands in $own a command hands the rest on.
given=' ' operands=()
while [ "$#" -gt 0 ] && [ "${#operands[@]}" != "${own:-}" ]; do
	case $1 in
	-h | --help) help || [ $? = 141 ] || die "cannot write to standard output"; exit ;;
	--) shift; operands+=("${@/#-/./-}"); set -- ;;
	-?*)
		[[ " ${options_known:-} " == *" $1 "* ]] || die "there is no option '$1': see ${0##*/} --help"
		given+="$1 "
		;;
	*) operands+=("$1") ;;
	esac
	[ "$#" = 0 ] || shift
done
set -- "${operands[@]}" "$@"
# operands N: as many there are at least
operands() { [ "${#operands[@]}" -ge "$1" ] || die "usage: $(help | sed -n '1s/:.*//p')"; }
for name in KDIR OUT FULL BUILD; do
	[[ ${!name:-} != -* ]] || printf -v "$name" './%s' "${!name}"
done

[ -e /dev/fd/1 ] || die "standard output is closed"
for name in awk cat cmp comm cp cut df diff dirname find fold grep head id ls mkdir mktemp mv nproc realpath rm sed \
	sha256sum sleep sort stat tail tar tee timeout touch tr wc xargs; do
	type -P "$name" >/dev/null || die "$name not found in PATH"
done

# elapsed: the time since the user's command began, as m:ss
elapsed() { printf '%d:%02d' $(((EPOCHSECONDS - BEGAN) / 60)) $(((EPOCHSECONDS - BEGAN) % 60)); }
# What a command tells the programs that it starts, it does not take from the user.
[ -n "${BEGAN:-}" ] || [ ! "${0%/*}" -ef "$top/bin" ] || unset ALL APPEND KUNITCONFIG SELFTEST SUITE SUITE_RUNS VMM_FILES
export BEGAN=${BEGAN:-$EPOCHSECONDS}

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
# the last line of a kernel in which a function under test waits for itself
deadlock='deadlock, waits for'

# SIGNOFF=1 becomes the user's identity, for as long as git may know it.
# shellcheck disable=SC2046 # a word for each
[[ -z ${SIGNOFF:-} || $SIGNOFF == *'<'*'>' ]] ||
	SIGNOFF=$(unset $(git rev-parse --local-env-vars) && git var GIT_COMMITTER_IDENT 2>/dev/null | sed 's/>.*/>/') ||
	die "SIGNOFF=1 needs your git identity: set user.name and user.email"

# No variable of git's reaches a git of ours, and no configuration of the user's or the
# system's. What a tree's own one names is not run: a tree is only read, whoever owns it.
# git must not take a tree below build/ for a part of this repository.
unset "${!GIT_@}"
export GIT_CEILING_DIRECTORIES=$build GIT_OPTIONAL_LOCKS=0 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1 \
	GIT_TEMPLATE_DIR='' GIT_ALLOW_PROTOCOL=none GIT_CONFIG_COUNT=0
for setting in safe.directory='*' core.hooksPath=/dev/null core.fsmonitor=false core.autocrlf=false log.showSignature=false \
	core.attributesFile=/dev/null core.excludesFile=/dev/null commit.gpgSign=false; do
	export "GIT_CONFIG_KEY_$GIT_CONFIG_COUNT=${setting%%=*}" "GIT_CONFIG_VALUE_$GIT_CONFIG_COUNT=${setting#*=}"
	GIT_CONFIG_COUNT=$((GIT_CONFIG_COUNT + 1))
done

# Nor is a kernel's build to follow the make that called us.
unset MAKEFILES GNUMAKEFLAGS MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES ARCH KBUILD_OUTPUT KCONFIG_CONFIG

# have_build: $build is there and ours: we made it, or found it empty. Without the marker,
# that of an earlier version of ours is known by its contents.
made_by_us=$build/.made-by-riscv-kvm contents=(apt linters lock out results src trees vmm)
have_build() {
	local made
	[ -d "$build" ] || [ ! -e "$build" ] || die "BUILD: $build is a file, not a directory"
	mkdir -p "$build" 2>/dev/null || die "cannot write to $build: set BUILD= to a directory that you own"
	[ -w "$build" ] || die "cannot write to $build: it belongs to $(stat -c %U "$build"); set BUILD= to a directory that you own"
	[ ! -e "$made_by_us" ] || return 0
	made=$(find "$build" -mindepth 1 -maxdepth 1 -printf '%f\n')
	[ "$build" != "$top/build" ] || made=$(grep -vx -e 'tmp\..*' "${contents[@]/#/-e}" <<<"$made") || true
	[ -z "$made" ] || die "$build was not made by this project, it has '${made%%$'\n'*}': set BUILD= to a new directory"
	: 2>/dev/null >"$made_by_us" || die "cannot write to $build: is the disk full?"
}

# scratch: a directory in $scratch that is gone when the command ends. An interrupt may come
# at any time: the trap is there before the directory, and nothing ends it halfway, since
# it reaches rm as well as us.
scratch() {
	have_build
	scratch=$build/tmp.$BASHPID.${EPOCHREALTIME#*.}
	trap 'leave' EXIT
	mkdir -m 700 "$scratch" 2>/dev/null || { trap - EXIT; die "cannot write to $build: is the disk full?"; }
}

# leave: clean up; a program may have more to do, in its cleanup()
leave() {
	trap '' INT TERM HUP
	! declare -F cleanup >/dev/null || cleanup
	rm -rf "$scratch"
}

# alone: nobody else uses $build
alone() {
	have_build
	{ exec 9>>"$build/lock"; } 2>/dev/null || die "cannot write to $build/lock, which belongs to $(stat -c %U "$build/lock")"
	flock -n 9 || die "another run is using $build: wait for it, or set BUILD= to another directory"
}

# exclusive: and there is room in it for a kernel
needed_gib=5
exclusive() {
	[[ $build != *[[:space:]:]* ]] || die "kernels do not build below a path with a space or a colon: set BUILD="
	alone
	local free
	free=$(df --output=avail -B1G "$build" | tail -n 1)
	((free >= needed_gib)) || die "$build has $((free)) GiB left and a kernel needs $needed_gib: make room, or set BUILD="
}

# table FILE: the file's lines without comments and blank ones
table() { sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' "$1"; }

bases() { table "$top/series/bases" | awk '{ print $1 }'; }
# marked WORD: those that are
marked() { table "$top/series/bases" | awk -v mark="$1" '$4 == mark { print $1 }'; }
# affected KERNEL...: none of these is without patches
affected() {
	local found
	! found=$(printf '%s\n' "$@" | grep -m 1 -xFf <(marked unaffected)) ||
		die "KERNELS: Linux $found is not affected, so there are no patches for it"
}

# number NAME: what a user gives in this variable is one
number() { [[ ${!1:-1} =~ ^[1-9][0-9]{0,5}$ ]] || die "$1 must be a positive number, not '${!1}'"; }
number JOBS
number TIMEOUT
[[ " ${CPUS:-1}" =~ ^(\ +[1-9])+\ *$ ]] || die "CPUS must list CPU counts from 1 to 9, e.g. '1 4'; got '$CPUS'"

# known NAME KERNEL...: each of these kernels, which a user gave there, is in series/bases
known() {
	local kernel
	for kernel in "${@:2}"; do
		bases | grep -qxF -e "$kernel" || die "$1: Linux $kernel is not in series/bases (there are: $(bases | xargs))"
	done
}
# shellcheck disable=SC2086 # a word for each
known KERNELS ${KERNELS:-}
known KERNEL ${KERNEL:+"$KERNEL"}
[ -z "${FULL:-}" ] || git -C "$FULL" rev-parse -q --git-dir >/dev/null 2>&1 || die "FULL: $FULL is not a git tree"

# belongs DIFF TREE: is it for a kernel like TREE? A line "If: FILE [WORD]" or "Unless: FILE
# [WORD]" at its head says so: FILE is there, with WORD in it. Without TREE it is for all.
belongs() {
	local condition file word
	[ -n "$2" ] || return 0
	while read -r condition file word; do
		case $condition in
		If:) grep -qsE "${word:+\b$word\b}" "$2/$file"; return ;;
		Unless:) ! grep -qsE "${word:+\b$word\b}" "$2/$file"; return ;;
		---) return 0 ;;
		esac
	done <"$top/$1"
}

# diffs PATTERN [TREE]: the changes to existing files of the patches that match, and those in
# <file>.<patch>-<kernels>.diff
diffs() {
	local diff
	(cd "$top" && find . -path ./build -prune -o \( -name "*.$1.diff" -o -name "*.$1-*.diff" \) -printf '%P\n' | sort) | while read -r diff; do
		if belongs "$diff" "${2:-}"; then echo "$diff"; fi
	done
}

# touched [TREE]: the files that the series changes in a kernel
touched() { diffs "*" "$@" | sed -E 's/\.[a-z]+(-[^/]*)?\.diff$//' | sort -u; }

# new_files: those that the series adds to one; added PATCH: those that this patch adds
new_files() { added '.*'; }
added() { table "$top/series/order" | awk -v patch="^$1\$" '$1 ~ patch { for (i = 4; i <= NF; i++) print $i }'; }

# patches: all of them; in_series NAME: those of one series
patches() { in_series '.*'; }
in_series() { table "$top/series/order" | awk -v name="^$1\$" '$2 ~ name { print $1 }'; }

# kernel_version TREE: its version as `make kernelversion` has it
kernel_version() {
	awk -F' *= *' '/^VERSION/ { v = $2 } /^PATCHLEVEL/ { p = $2 } /^SUBLEVEL/ { s = $2 }
		/^EXTRAVERSION/ { e = $2; exit } END { print v "." p (s == "" ? "" : "." s) e }' "$1/Makefile"
}

# last_line LOG: what a command that failed said at the end
last_line() { grep -v '^[[:space:]]*$' "$1" | tail -n 1 || true; }

# nearest NAME: of the lines, the five that take the fewest letters to change into NAME
nearest() {
	awk -v name="$1" '
		function least(a, b) { return a < b ? a : b }
		{
			for (j = 0; j <= length($0); j++) d[0, j] = j
			for (i = 1; i <= length(name); i++) {
				d[i, 0] = i
				for (j = 1; j <= length($0); j++)
					d[i, j] = least(least(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (substr(name, i, 1) != substr($0, j, 1)))
			}
			print d[length(name), length($0)], $0
		}' | sort -n | awk 'NR <= 5 { print $2 }' | xargs
}

# named DIR [PATTERN...]: the patches below tests/DIR, or those that are so called
named() {
	local dir=$1 pattern
	shift
	for pattern in "${@:-*}"; do
		find "$top/tests/$dir" -name "$pattern.diff" -printf '%P\n' | sed 's/\.diff$//' | grep . ||
			die "tests/$dir has no '$pattern' (the nearest: $(find "$top/tests/$dir" -name '*.diff' -printf '%f\n' | sed 's/\.diff$//' | nearest "$pattern"))"
	done | sort -ru
}

# header PATCH NAME: what the head of a patch says under that name
header() { sed -n "s/^$2: //p" "$1"; }

# extract TREE REVISION DIR PATH...: put these files of a revision into DIR, as they were
# committed: in a repository of ours, where no filter is known and no attribute counts
extract() {
	local paths repository=$scratch/repository
	mapfile -t paths < <(git -C "$1" ls-tree --name-only "$2" -- "${@:4}" 2>/dev/null)
	[ "${#paths[@]}" != 0 ] || return 0
	git init -q --bare "$repository" && mkdir -p "$repository/info" "$3"
	echo '* -export-ignore -export-subst -text -eol -filter -ident -working-tree-encoding' >"$repository/info/attributes"
	git -C "$1" rev-parse --path-format=absolute --git-path objects >"$repository/objects/info/alternates"
	git --git-dir="$repository" archive "$(git -C "$1" rev-parse "$2:$(git -C "$1" rev-parse --show-prefix)")" -- "${paths[@]}" 2>"$scratch/log" | tar -x -C "$3" 2>/dev/null || return
	find "$3" -type l -delete
}

# refuse_foreign DIR [DIRECTORY]: in the way of new patches in DIR is nothing but what we made,
# which shows in how it begins: other patches have a commit, another author or another date.
# It may be below directories with such names as well, a regular expression.
refuse_foreign() {
	local author signer ours found
	[ -e "$1" ] || return 0
	[ -d "$1" ] || die "cannot write the patches: $1 is a file, not a directory"
	author=$(cat "$top/series/author") signer=${SIGNOFF:-$author}
	ours="\\AFrom 0{40} .*\nFrom: [^<]*<(\\Q${author##*<}\\E|\\Q${signer##*<}\\E)\nDate: \\Q$(cat "$top/series/date")\\E\n"
	found=$(cd "$1" && find . -mindepth 1 -regextype posix-extended ! \( -type d -regex "[.]${2:-}" \) \
		! \( -type f -regex "[.]${2:-}/[0-9]{4}-[^/]*" -exec grep -qzP "$ours" {} \; \) -print -quit 2>/dev/null) || die "cannot read $1"
	[ -z "$found" ] || die "cannot write the patches: $1${found#.} was not made by an earlier run: name an empty or a new directory"
	# Those of one run have one time. What is in patches/, git has as well.
	[ "$1" = "$top/patches" ] || [ "$(find "$1" -type f -printf '%T@\n' | sort -u | wc -l)" -le 1 ] ||
		die "cannot write the patches: some in $1 were changed since they were made: name an empty or a new directory"
}

# beside DIR: a new directory in $new, to become DIR, on the same file system
beside() {
	new=$1.new.$BASHPID.${EPOCHREALTIME#*.}
	cleanup() { [ -z "$new" ] || rm -rf "$new"; }
	{ mkdir -p "${1%/*}/" && mkdir "$new" && chmod 755 "$new"; } 2>/dev/null || { new=''; die "cannot write the patches to $1"; }
}

# exchange DIR: put $new there; what was there before is removed once that is done
exchange() {
	local old=''
	trap '' INT TERM HUP
	find "$new" -type f -exec touch -d "@$EPOCHSECONDS" {} +
	[ ! -e "$1" ] || { old=$(mktemp -d "$1.XXXXXX") && mv -T "$1" "$old"; } 2>/dev/null || die "cannot replace $1"
	mv -T "$new" "$1" 2>/dev/null || { [ -z "$old" ] || mv -T "$old" "$1"; die "cannot write the patches to $1"; }
	[ -z "$old" ] || rm -rf "$old"
}
