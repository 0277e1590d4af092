# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the commands that build and boot kernels: states of a kernel's source, builds
# of them, and a table of the results in $results.
# shellcheck shell=bash disable=SC2034,SC2154 # shared with common.sh and the commands
. "$(dirname "$0")/../engine/common.sh"

# columns of $results/table.tsv: ok, MISSED or WRONG; what was run; Linux; CPUs; the
# state; the verdict; the cases; the seconds; what led to it
results=$build/results/${0##*/} table=$results/table.tsv dir=''

# begin JOB...: what each of them needs: the tools, $build, an empty $results
begin() {
	"$top/bin/install-tools" "$@"
	exclusive
	scratch
	rm -rf "$results" && mkdir -p "$results"
	: >"$table"
}

# kernel VERSION|'': set $kernel, its version; $source, its source; $tree, a copy to change;
# $out, where to build kernels with guest/init.c
kernel() {
	source=$("$top/engine/fetch-kernel" "$1")
	kernel=${source##*/linux-}
	tree=$build/trees/$kernel out=$build/out/userspace-$kernel
	# An old copy is kept: state() updates it, and make rebuilds less.
	if [ ! -d "$tree" ] || [ -L "$tree" ]; then "$top/engine/copy-tree" --link "$source" "$tree"; fi
}

# staged STATE: put into $scratch/stage the files that the series changes or adds, in this
# state: base, as in $source; series, with each patch that it lacks; as-it-is, with only the
# suite for the reset; series-fix, the series without the patch fix, which is reverted if
# $source has it; series:3, with only three. $applied is their number, $last the last one.
staged() {
	local names=${1%:*} stage=$scratch/stage most=99 patch list
	list=$(patches)
	[ "$names" != as-it-is ] || list='guarded kunit'
	[[ $1 != *:* ]] || most=${1#*:}
	applied=0 last=
	rm -rf "$stage" && mkdir "$stage"
	(cd "$source" && { echo Makefile; touched .; } | xargs -d '\n' cp --parents -t "$stage")
	[ "$names" != base ] || return 0
	for patch in $list; do
		if [ "$names" = "series-$patch" ]; then
			! has "$stage" "$patch" || "$top/engine/apply-patch" --reverse "$stage" "$patch"
		elif ((applied < most)) && ! has "$stage" "$patch"; then
			"$top/engine/apply-patch" "$stage" "$patch"
			applied=$((applied + 1)) last=$patch
		fi
	done
}

# has TREE PATCH
has() { "$top/engine/apply-patch" --check --reverse "$1" "$2" 2>/dev/null; }

# state STATE: bring $tree into it. Files that differ get the present time, for make. Where
# there are no suites yet, KUnit's example is run instead.
state() {
	local file
	staged "$1"
	rsync -rc "$scratch/stage/" "$tree/"
	new_files | while read -r file; do [ -e "$scratch/stage/$file" ] || rm -f "$tree/$file"; done
	unset KUNITCONFIG SUITE
	if ! has_suite; then
		export KUNITCONFIG=$results/no-suite.config SUITE=example
		{ grep -v KUNIT_ "$top/arch/riscv/kvm/.kunitconfig"; echo CONFIG_KUNIT_EXAMPLE_TEST=y; } >"$KUNITCONFIG"
	fi
}
has_suite() { [ -e "$tree/arch/riscv/kvm/vcpu_sbi_test.c" ]; }

# variants PATCH...: the modules of KVM with each of these patches, in $out/variants
variants() {
	rm -rf "$out/variants"
	printf '%s\n' "$@" | xargs -d '\n' -n 1 -P "${JOBS:-$(nproc)}" "$top/engine/build-variant" "$tree" "$out" || exit 2
	say "[$(elapsed)] built $# variants of KVM of Linux $kernel"
}

# row OPINION SCENARIO CPUS STATE VERDICT CASES SECONDS WHY: into the table
row() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$kernel" "${@:3}" >>"$table"
	say "[$(elapsed)] $1: Linux $kernel, $3 CPUs, $4: $2: $5"
}

# expect SCENARIO CPUS STATE VERDICT [ARGUMENT...]: run the suites, or what else run-suite does with
# these arguments, with each of these numbers of CPUs, and with the results in $results/$dir.
# The verdict must match this pattern. A command may have a second_opinion SCENARIO CPUS STATE
# RESULTS, which may change $verdict, $cases and $why, or set $opinion to WRONG.
expect() {
	local n began line verdict cases why opinion files
	for n in $2; do
		began=$EPOCHREALTIME opinion=ok files=$results/${dir:-$kernel/$n/$3/$1}
		line=$(QEMU_ARGS="-smp $n ${QEMU_ARGS:-}" "$top/engine/run-suite" "$tree" "$out" "$files" "${@:5}") || true
		IFS=$'\t' read -r verdict cases why <<<"${line/$'\t\t'/$'\t-\t'}"
		! declare -F second_opinion >/dev/null || second_opinion "$1" "$n" "$3" "$files"
		# shellcheck disable=SC2053 # a pattern it is
		[[ $verdict == @($4) ]] || opinion=WRONG
		row "$opinion" "$1" "$n" "$3" "$verdict" "$cases" "$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }")" "$why"
	done
}

# verdict_of SCENARIO CPUS STATE: of that row
verdict_of() { awk -F '\t' -v s="$1" -v k="$kernel" -v n="$2" -v state="$3" '$2 == s && $3 == k && $4 == n && $5 == state { print $6 }' "$table"; }

show() {
	printf '\tscenario\tLinux\tCPUs\tstate\tverdict\tcases\ts\t\n' | cat - "$table" |
		awk -F '\t' '{ printf "%-6s %-40s %-8s %4s %-12s %-8s %-34s %7s  %s\n", $1, $2, $3, $4, $5, $6, $7, $8, $9 }'
}

# as_expected: exit with 3 if a machine hung or died unexpectedly, with 1 if another verdict is
# wrong
as_expected() { awk -F '\t' '$1 == "WRONG" { wrong = 1; if ($6 ~ /^(hang|died)$/) dead = 1 } END { exit dead ? 3 : wrong }' "$table" || exit; }

# finish: print the table, and end
finish() {
	show | tee "$results/table.txt"
	! declare -F details >/dev/null || details | tee -a "$results/table.txt"
	awk -F '\t' '{ n[$1]++ } END { printf "%d verdicts as expected%s, %d not. ", n["ok"] + n["MISSED"],
		n["MISSED"] ? " (" n["MISSED"] " of them missed)" : "", n["WRONG"] }' "$table"
	echo "Time: $(elapsed). Results: $results"
	as_expected
}
