#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# No command harms what it did not make, or takes what it could not see for an answer.

load lib/setup

# run --separate-stderr
bats_require_minimum_version 1.5.0

setup() {
	KDIR=$BATS_TEST_TMPDIR/tree
	patches=$BATS_TEST_TMPDIR/made
	trap_file=$BATS_TEST_TMPDIR/executed
}

# says VERDICT [ARGUMENT...]: the one line of triage, and its exit status
says() {
	local expected=([0]="fixed|not affected" [1]=vulnerable [3]=unknown)
	run --separate-stderr bin/triage "${@:2}"
	echo "status $status: $output $stderr"
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "$1"$'\t'* ]]
	[[ "|${expected[status]}|" == *"|$1|"* ]]
}

# one_error PATTERN: status 2, nothing but one line that matches
one_error() {
	echo "status $status: $output"
	[ "$status" -eq 2 ]
	one_line
	[[ $output == $1 ]]
}

# repository DIR: one of the user's, with a commit
repository() {
	mkdir -p "$1"
	echo mine >"$1/mine"
	in_git "$1"
}

# state DIR: what a repository holds
state() { git -C "$1" rev-parse HEAD; git -C "$1" status --porcelain; cat "$1/mine"; }

# copy_project [VERSION]: the project in $project, for a single kernel
copy_project() {
	project=$BATS_TEST_TMPDIR/project
	mkdir "$project"
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$project"
	sed -i "/^[0-9]/{/^$vulnerable /!d}" "$project/series/bases"
}

# executes: a program in $program that leaves a trace if it is run
executes() {
	program=$BATS_TEST_TMPDIR/program
	printf '#!/bin/sh\ntouch "%s"\ncat\nexit 0\n' "$trap_file" >"$program"
	chmod +x "$program"
}

# without_tools NAME...: a PATH with all there is but these, and with an apt-get that
# leaves a trace if it is run
without_tools() {
	local dir
	executes
	path=$BATS_TEST_TMPDIR/path
	rm -rf "$path"
	mkdir "$path"
	for dir in /usr/bin /usr/sbin; do cp -as "$dir/." "$path/" 2>/dev/null || true; done
	(cd "$path" && rm -f "$@" apt-get)
	cp "$program" "$path/apt-get"
}

@test "1. git's local variables reach no git of ours: patches and triage read the tree that they are given" {
	small_tree $vulnerable "$KDIR"
	in_git "$KDIR"
	repository "$BATS_TEST_TMPDIR/other"
	before=$(state "$BATS_TEST_TMPDIR/other")
	# As git sets it for an alias that is run in a linked worktree
	export GIT_DIR=$BATS_TEST_TMPDIR/other/.git
	run bin/patches "$KDIR" "$patches"
	unset GIT_DIR
	echo "$output"
	state "$BATS_TEST_TMPDIR/other"
	[ "$(state "$BATS_TEST_TMPDIR/other")" = "$before" ]
	[ "$status" -eq 0 ]
	same "$patches" $vulnerable
	mapfile -t variables < <(git rev-parse --local-env-vars)
	for variable in "${variables[@]}"; do
		echo "$variable"
		run --separate-stderr env "$variable=$BATS_TEST_TMPDIR/other/.git" REV=HEAD bin/triage "$KDIR"
		[[ $status -eq 1 && $output == vulnerable* ]]
	done
	env "${variables[@]/%/=$BATS_TEST_TMPDIR/other/.git}" bin/patches "$KDIR" "$patches"
	same "$patches" $vulnerable
	[ "$(state "$BATS_TEST_TMPDIR/other")" = "$before" ]
}

@test "1. an alias run in a linked worktree makes the patches, and commits nothing" {
	small_tree $vulnerable "$KDIR"
	in_git "$KDIR"
	git -C "$KDIR" worktree add -q "$BATS_TEST_TMPDIR/linked" -b linked
	git -C "$KDIR" config alias.bp "!make -s -C '$top' patches KDIR=\$PWD OUT='$patches'"
	before=$(git -C "$KDIR" rev-parse linked)
	git -C "$BATS_TEST_TMPDIR/linked" bp
	git -C "$KDIR" log --oneline "$before..linked"
	[ "$(git -C "$KDIR" rev-parse linked)" = "$before" ]
	same "$patches" $vulnerable
}

@test "1. neither the user's git configuration nor the system's changes the patches or runs anything" {
	small_tree $vulnerable "$KDIR"
	in_git "$KDIR"
	executes
	export HOME=$BATS_TEST_TMPDIR/home GIT_CONFIG_SYSTEM=$BATS_TEST_TMPDIR/system
	mkdir -p "$HOME/.config/git" "$HOME/template/hooks" "$HOME/hooks"
	cp "$program" "$HOME/template/hooks/post-commit"
	cp "$program" "$HOME/hooks/post-commit"
	echo '*' >"$HOME/.config/git/ignore"
	echo '* binary' >"$HOME/.config/git/attributes"
	for where in --global "--file=$GIT_CONFIG_SYSTEM"; do
		git config "$where" core.autocrlf true
		git config "$where" commit.gpgsign true
		git config "$where" gpg.program "$program"
		git config "$where" init.templateDir "$HOME/template"
		git config "$where" core.hooksPath "$HOME/hooks"
		git config "$where" core.fsmonitor "$program"
		git config "$where" format.suffix .eml
	done
	run bin/patches "$KDIR" "$patches"
	echo "$output"
	same "$patches" $vulnerable
	REV=HEAD says vulnerable "$KDIR"
	[ ! -e "$trap_file" ]
}

@test "1. what the configuration of the tree's own repository names is not run, and nothing is written there" {
	small_tree $vulnerable "$KDIR"
	executes
	echo '*.[ch] filter=own diff=own' >"$KDIR/.gitattributes"
	in_git "$KDIR"
	for name in core.fsmonitor filter.own.clean filter.own.smudge filter.own.process diff.external diff.own.textconv diff.own.command gpg.program; do
		git -C "$KDIR" config "$name" "$program"
	done
	for hook in post-checkout post-index-change pre-commit fsmonitor-watchman; do cp "$program" "$KDIR/.git/hooks/$hook"; done
	# The index no longer knows it.
	touch "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	before=$(snapshot "$KDIR")
	says vulnerable "$KDIR"
	REV=HEAD says vulnerable "$KDIR"
	engine/check-kdir "$KDIR"
	engine/copy-tree "$KDIR" "$BATS_TEST_TMPDIR/copy"
	bin/patches "$KDIR" "$patches"
	REV=HEAD bin/patches "$KDIR" "$patches"
	same "$patches" $vulnerable
	[ ! -e "$trap_file" ]
	[ "$(snapshot "$KDIR")" = "$before" ]
}

@test "2. clean removes nothing from a directory that it did not make" {
	home=$BATS_TEST_TMPDIR/home
	mkdir -p "$home"/{src,out,trees,apt,results,tmp.mine}
	touch "$home"/{src,out,trees,apt,results,tmp.mine}/mine "$home/lock"
	before=$(snapshot "$home")
	BUILD=$home run bin/clean
	echo "status $status: $output"
	find "$home" || true
	[ "$(snapshot "$home")" = "$before" ]
	one_error "error: *home*"
	# Nor does anything else begin to use it.
	KDIR=$BATS_TEST_TMPDIR/nowhere
	for command in bin/triage bin/kunit "engine/fetch-kernel $vulnerable" bin/lock-order; do
		# shellcheck disable=SC2086 # words they are
		BUILD=$home KDIR='' run $command "$(engine/fetch-kernel $vulnerable)"
		[ "$(snapshot "$home")" = "$before" ]
	done
}

@test "2. clean removes what was made, follows no link, and leaves what else is there" {
	export BUILD="$BATS_TEST_TMPDIR/build & more"
	mkdir -p "$BATS_TEST_TMPDIR/empty" "$BATS_TEST_TMPDIR/user" "$BATS_TEST_TMPDIR/build  more/out"
	touch "$BATS_TEST_TMPDIR/user/mine"
	run bin/triage "$BATS_TEST_TMPDIR/empty"
	[ "$status" -eq 3 ]
	mkdir -p "$BUILD/out/own"
	# Whatever any program puts there.
	grep -ohE '\$build/[a-z]+' bin/* engine/* | grep -vxE '.*/(lock|src|trees|tmp)' | sort -u | (cd "$BUILD" && sed 's,.build/,,' | xargs mkdir -p)
	ls "$BUILD"
	ln -s "$BATS_TEST_TMPDIR/user" "$BUILD/src"
	ln -s "$BATS_TEST_TMPDIR/user" "$BUILD/trees"
	ln -s "$BATS_TEST_TMPDIR/user" "$BUILD/tmp.link"
	touch "$BUILD/notes"
	bin/clean
	(cd "$BUILD" && find .)
	[ "$(cd "$BUILD" && find . -mindepth 1)" = ./notes ]
	[ -e "$BATS_TEST_TMPDIR/user/mine" ] && [ -d "$BATS_TEST_TMPDIR/build  more/out" ]
	# A run that goes on is not robbed of its files.
	rm "$BUILD/notes"
	run bin/triage "$BATS_TEST_TMPDIR/empty"
	exec 7>>"$BUILD/lock"
	flock 7
	run bin/clean
	one_error "error: another run*"
	exec 7>&-
	bin/clean
	[ ! -e "$BUILD" ]
}

@test "2. build/ as earlier versions left it is taken over, unless it holds something else" {
	copy_project
	# The one of `make check` is not to be cleaned.
	unset BUILD
	mkdir -p "$project/build/src" "$project/build/results"
	run "$project/bin/triage" "$BATS_TEST_TMPDIR"
	echo "$output"
	[ "$status" -eq 3 ]
	"$project/bin/clean"
	[ ! -e "$project/build" ]
	mkdir -p "$project/build/src" "$project/build/thesis"
	run "$project/bin/clean"
	one_error "error: */build*"
	[ -d "$project/build/src" ]
}

@test "2. a link to the user's own tree in build/src is not written through" {
	small_tree $vulnerable "$KDIR"
	before=$(snapshot "$KDIR")
	export BUILD=$BATS_TEST_TMPDIR/build
	run bin/triage "$BATS_TEST_TMPDIR"
	mkdir -p "$BUILD/src"
	ln -s "$KDIR" "$BUILD/src/linux-$vulnerable"
	run engine/fetch-kernel $vulnerable
	one_error "error: *KDIR=*"
	ln -s "$KDIR" "$BUILD/link"
	for option in '' --link; do
		# shellcheck disable=SC2086 # one, or none
		run engine/copy-tree $option "$build/src/linux-$vulnerable" "$BUILD/link"
		one_error "error: *link*"
	done
	[ "$(snapshot "$KDIR")" = "$before" ]
}

@test "3. make series OUT=dir removes no kernel tree of the user's" {
	copy_project
	export BUILD=$build OUT=$BATS_TEST_TMPDIR/dir
	mkdir -p "$OUT/linux-6.12/kernel"
	echo mine >"$OUT/linux-6.12/kernel/mine.c"
	run "$project/bin/series"
	echo "status $status: $output"
	find "$OUT"
	[ "$(cat "$OUT/linux-6.12/kernel/mine.c")" = mine ]
	one_error "error: *$OUT/linux-6.12*"
	# Nor anything else of the user's, wherever it is, nor what only looks like ours.
	rm -r "$OUT"
	"$project/bin/series"
	for mine in mine linux-mine/1-kunit/mine linux-$vulnerable/0001-mine linux-$vulnerable/1-kunit/0001-mine.patch \
		linux-$vulnerable/1-kunit/2-kvm/0001-mine.patch linux-$vulnerable/mine/0001-mine.patch 1-kunit/0001-mine.patch; do
		mkdir -p "$OUT/$(dirname $mine)"
		case $mine in
		*/mine/* | */2-kvm/* | 1-*) cp "$OUT/linux-$vulnerable/1-kunit/0001-"*lock.patch "$OUT/$mine" ;;
		*) echo mine >"$OUT/$mine" ;;
		esac
		before=$(snapshot "$OUT")
		run "$project/bin/series"
		echo "$mine"
		[ "$(snapshot "$OUT")" = "$before" ]
		one_error "error: *$OUT/*"
		rm "$OUT/$mine"
		find "$OUT" -type d -empty -delete
	done
	# What it made itself it replaces.
	rm "$OUT/linux-$vulnerable/"*/0000*
	"$project/bin/series"
	diff -r "$OUT/linux-$vulnerable" patches/linux-$vulnerable
	[ -z "$(find "$BATS_TEST_TMPDIR" -maxdepth 1 -name 'dir.*')" ]
}

@test "4. make patches OUT=dir removes no patch of the user's, nor half of what is there" {
	small_tree $vulnerable "$KDIR"
	for mine in 0001-mine.patch 2024-x/mine 0001-zero.patch 0000-cover-letter.patch; do
		rm -rf "$patches"
		mkdir -p "$patches/$(dirname $mine)"
		cp "$(flat $vulnerable)"/000[1-3]* "$patches/"
		case $mine in
		# made by git format-patch --zero-commit
		*zero*) sed 's/^ <.*@.*>/ <somebody@example.org>/' "$(flat $vulnerable)"/0001* >"$patches/$mine" ;;
		*) echo mine >"$patches/$mine" ;;
		esac
		before=$(snapshot "$patches")
		run bin/patches "$KDIR" "$patches"
		find "$patches"
		[ "$(snapshot "$patches")" = "$before" ]
		one_error "error: *$patches/*"
	done
}

@test "4. SIGNOFF=1 replaces what it made, and no patch of the user's with the same author" {
	export HOME=$BATS_TEST_TMPDIR SIGNOFF=1
	git config --global user.name 'Jané Doe'
	git config --global user.email jane@example.org
	small_tree $vulnerable "$KDIR"
	bin/patches "$KDIR" "$patches"
	bin/patches "$KDIR" "$patches"
	in_git "$KDIR"
	echo mine >"$KDIR/mine"
	git -C "$KDIR" add mine
	git -C "$KDIR" commit -q -m mine
	git -C "$KDIR" format-patch -q --zero-commit -1 -o "$patches"
	grep -r 'From: .*jane@example.org' "$patches/0001-mine.patch"
	find "$patches" -type f -exec touch -d @1 {} +
	run bin/patches "$KDIR" "$patches"
	one_error "error: *$patches/0001-mine.patch*"
	[ -e "$patches/0001-mine.patch" ]
}

@test "4. the patches of an earlier run stay as they are until the new ones are whole" {
	small_tree $vulnerable "$KDIR"
	small_tree $fixed "$BATS_TEST_TMPDIR/fixed"
	for tool in cp mv; do
		rm -rf "$patches"
		bin/patches "$BATS_TEST_TMPDIR/fixed" "$patches"
		without_tools $tool
		# The first one that has to do with them is the last.
		printf '#!/bin/sh\ncase "$*" in *%s*) kill -9 $PPID ;; esac\nexec %s "$@"\n' "$patches" "$(command -v $tool)" >"$path/$tool"
		chmod +x "$path/$tool"
		BUILD=$BATS_TEST_TMPDIR/build PATH=$path run bin/patches "$KDIR" "$patches"
		echo "$tool: status $status: $output"
		same "$patches" $fixed || [ $tool/$status = cp/0 ]
	done
	bin/patches "$KDIR" "$patches"
	same "$patches" $vulnerable
	bin/patches "$KDIR" "$patches"
	same "$patches" $vulnerable
	# One that the user has edited since is the user's.
	echo mine >>"$patches/0000-cover-letter.txt"
	run bin/patches "$KDIR" "$patches"
	one_error "error: *$patches *changed*"
	[ "$(tail -n 1 "$patches/0000-cover-letter.txt")" = mine ]
}

@test "5. what could not be looked at is unknown: sparse, deleted, moved, a link to itself, headers only" {
	small_tree $vulnerable "$KDIR"
	cp "$build/src/linux-$vulnerable/arch/Kconfig" "$KDIR/arch/"
	cp "$build/src/linux-$vulnerable/arch/riscv/"K* "$KDIR/arch/riscv/"
	in_git "$KDIR"
	sbi=$KDIR/arch/riscv/kvm/vcpu_sbi.c
	again() { rm -rf "$KDIR/arch/riscv"; git -C "$KDIR" checkout -q .; }
	rm "$sbi"
	says unknown "$KDIR"
	again
	rm -r "$KDIR/arch/riscv/kvm"
	says unknown "$KDIR"
	again
	rm -r "$KDIR/arch/riscv"
	says unknown "$KDIR"
	again
	ln -sf vcpu_sbi.c "$sbi"
	says unknown "$KDIR"
	again
	rm "$sbi"
	mkdir "$sbi"
	says unknown "$KDIR"
	again
	rm -r "$KDIR/arch/riscv/kvm"
	ln -s kvm "$KDIR/arch/riscv/kvm"
	says unknown "$KDIR"
	again
	header=arch/riscv/include/asm/kvm_host.h
	rm "$sbi" "$KDIR/$header"
	ln -s kvm_host.h "$KDIR/$header"
	says unknown "$KDIR"
	again
	# moved, and under another name
	mkdir "$KDIR/arch/riscv/kvm/sbi"
	mv "$sbi" "$KDIR/arch/riscv/kvm/sbi/system_reset.c"
	says vulnerable "$KDIR"
	again
	mv "$sbi" "$KDIR/arch/riscv/kvm/sbi.c"
	says vulnerable "$KDIR"
	again
	# linux-headers
	find "$KDIR/arch/riscv/kvm" -name '*.c' -delete
	rm -rf "$KDIR/.git"
	says unknown "$KDIR"
}

@test "5. what a sparse checkout leaves out is unknown, and its revision is not" {
	small_tree $vulnerable "$KDIR"
	in_git "$KDIR"
	git -C "$KDIR" sparse-checkout set Documentation
	[ ! -e "$KDIR/arch" ]
	says unknown "$KDIR"
	REV=HEAD says vulnerable "$KDIR"
}

@test "5. what a user may not read is unknown" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to become somebody else"
	small_tree $vulnerable "$KDIR"
	export BUILD=$BATS_TEST_TMPDIR/build
	mkdir "$BUILD"
	chown 65534 "$BUILD"
	chmod a+rX "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
	for hidden in arch/riscv/kvm/vcpu_sbi.c arch/riscv/kvm arch/riscv/include arch/riscv arch; do
		mode=$(stat -c %a "$KDIR/$hidden")
		chmod 0 "$KDIR/$hidden"
		run --separate-stderr setpriv --reuid=65534 --clear-groups bin/triage "$KDIR"
		chmod "$mode" "$KDIR/$hidden"
		echo "$hidden: status $status: $output $stderr"
		case $hidden in
		# The header alone says nothing.
		arch/riscv/include) [[ $status -eq 1 || $status -eq 3 ]] ;;
		*) [[ $status -eq 3 && $output == unknown$'\t'* ]] ;;
		esac
		[ -z "$stderr" ]
	done
}

@test "5. REV= reads what is committed: no attribute leaves it out or alters it" {
	small_tree $vulnerable "$KDIR"
	echo 'arch/riscv/kvm/* export-ignore' >"$KDIR/.gitattributes"
	in_git "$KDIR"
	REV=HEAD says vulnerable "$KDIR"
	REV=HEAD bin/patches "$KDIR" "$patches"
	same "$patches" $vulnerable
	git -C "$KDIR" rm -qr --cached arch/riscv/kvm
	git -C "$KDIR" -c user.name=Tester -c user.email=tester@example.org commit -qm none
	REV=HEAD says unknown "$KDIR"
}

@test "5. not affected, with evidence: a header without the lock, no KVM for RISC-V, no RISC-V" {
	small_tree $vulnerable "$KDIR"
	cp "$build/src/linux-$vulnerable/arch/Kconfig" "$KDIR/arch/"
	cp "$build/src/linux-$vulnerable/arch/riscv/"K* "$KDIR/arch/riscv/"
	sed -i '/mp_state/d' "$KDIR/arch/riscv/include/asm/kvm_host.h"
	find "$KDIR/arch/riscv/kvm" -name '*.c' -delete
	says 'not affected' "$KDIR"
	[[ $output == *kvm_host.h* ]]
	# Before v5.16
	rm -r "$KDIR/arch/riscv/kvm" "$KDIR/arch/riscv/include"
	says unknown "$KDIR"
	sed -i '/arch\/riscv\/kvm/d' "$KDIR/MAINTAINERS"
	says unknown "$KDIR"
	sed -i '/kvm/Id' "$KDIR/arch/riscv/"K*
	says 'not affected' "$KDIR"
	# Before v4.15
	rm -r "$KDIR/arch/riscv"
	says 'not affected' "$KDIR"
	rm "$KDIR/MAINTAINERS"
	says unknown "$KDIR"
}

@test "6. nothing in the environment changes the answer or the patches" {
	small_tree $vulnerable "$KDIR"
	in_git "$KDIR"
	executes
	mkdir -p "$BATS_TEST_TMPDIR/cd/bin/lib" "$BATS_TEST_TMPDIR/cd/bin/../arch"
	printf 'shopt -s nullglob failglob; set -f; cd() { builtin cd /; }\n' >"$BATS_TEST_TMPDIR/env"
	cd "$top"
	grep() { return 1; }
	export -f grep
	settings=(--unset=HOME HOME= CDPATH="$BATS_TEST_TMPDIR/cd" GREP_OPTIONS=-v POSIXLY_CORRECT=1 BASH_ENV="$BATS_TEST_TMPDIR/env" \
		ENV="$BATS_TEST_TMPDIR/env" IFS=/ SHELLOPTS=noglob BASHOPTS=nocasematch:failglob LANGUAGE=de LC_ALL=C \
		TAR_OPTIONS=--nonsense MAKEFLAGS=n GIT_TRACE=1 GIT_EXTERNAL_DIFF="$program" TZ=Asia/Tokyo)
	for setting in "${settings[@]}"; do
		echo "$setting"
		run --separate-stderr env "$setting" bin/triage "$KDIR"
		echo "status $status: $output $stderr"
		[[ $status -eq 1 && $output == vulnerable* && ${#lines[@]} -eq 1 && -z $stderr ]]
	done
	env "${settings[@]}" REV=HEAD bin/patches "$KDIR" "$patches" >/dev/null 2>&1
	same "$patches" $vulnerable
	unset -f grep
	# With next to nothing, by a relative path
	cd "$BATS_TEST_TMPDIR"
	run --separate-stderr env -i PATH="$PATH" "$top/bin/triage" tree
	[[ $status -eq 1 && $output == vulnerable* ]]
	umask 077
	"$top/bin/patches" tree "$patches" 2>/dev/null
	[ "$(stat -c %a "$patches" "$patches/0000-cover-letter.txt" | xargs)" = "755 644" ]
}

@test "7. triage: each failure is 2 with one line, never 1" {
	small_tree $vulnerable "$KDIR"
	for jobs in x 0 -1 '1 2'; do
		JOBS=$jobs run bin/triage "$KDIR"
		one_error "error: JOBS*"
	done
	run bash -c "bin/triage '$KDIR' 2>&1 >/dev/full"
	one_error "error: *standard output*"
	run bash -c "bin/triage '$KDIR' 2>&1 >&-"
	one_error "error: *standard output*"
	status=0
	bin/triage "$KDIR" 2>&- >/dev/null || status=$?
	[ "$status" -eq 1 ]
}

@test "7. a tool missing from PATH is 2 with one line, whichever it is" {
	small_tree $vulnerable "$KDIR"
	for tool in awk cat cp cut df find grep head mkdir mktemp nproc realpath rm sed sha256sum sort stat tail tee timeout tr wc xargs; do
		without_tools $tool
		rm -f "$path/mawk" "$path/gawk"
		PATH=$path run bin/triage "$KDIR"
		echo "$tool"
		one_error "error: *"
	done
	for command in bin/{kunit,mutants,rows} engine/read-log; do
		without_tools sed
		PATH=$path run "$command" "$BATS_TEST_TMPDIR"
		echo "$command"
		one_error "error: *sed*"
	done
}

@test "7. a full disk is 2 with one line" {
	small_tree $vulnerable "$KDIR"
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=64k none "$BATS_TEST_TMPDIR/small" || skip "needs the right to mount"
	export BUILD=$BATS_TEST_TMPDIR/small/build
	run bin/triage "$BATS_TEST_TMPDIR/nowhere"
	first=$status
	outputs=()
	for size in 4k 32k 64k; do
		mount -o remount,size=$size "$BATS_TEST_TMPDIR/small" || true
		run bin/triage "$KDIR"
		outputs+=("$status: $output")
	done
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/small/filler" bs=4k 2>/dev/null || true
	run bin/triage "$KDIR"
	outputs+=("$status: $output")
	run bin/patches "$KDIR" "$patches"
	outputs+=("$status: $output")
	umount "$BATS_TEST_TMPDIR/small"
	printf '%s\n' "${outputs[@]}"
	[ "$first" -eq 3 ]
	for line in "${outputs[@]}"; do
		[[ $line == "2: error: "* && $line != *$'\n'* ]]
	done
	[ ! -e "$patches" ]
}

@test "7. whenever it is interrupted, a command leaves nothing behind" {
	export BUILD=$BATS_TEST_TMPDIR/build
	printf '%s\n' '#!/usr/bin/env bash' 'set -euo pipefail' ". '$top/engine/common.sh'" scratch \
		'for file in 1 2 3 4; do head -c 3000000 /dev/zero >"$scratch/$file"; done' >"$BATS_TEST_TMPDIR/command"
	chmod +x "$BATS_TEST_TMPDIR/command"
	"$BATS_TEST_TMPDIR/command"
	[ -e "$BUILD" ]
	for ((i = 0; i < 150; i++)); do
		setsid "$BATS_TEST_TMPDIR/command" 3>&- &
		sleep 0.0$((10 + 80 * i / 150))
		kill -TERM -- -$! 2>/dev/null || true
		wait $! || true
	done
	run find "$BUILD" -mindepth 1 ! -name '.made-by*'
	echo "$output"
	[ -z "$output" ]
}

@test "7. of the other commands, too: 1 is an answer, and a failure is 2" {
	run bash -c "bin/rows 2>&1 >/dev/full"
	[ "$status" -eq 2 ]
	[ "$(grep -c '^error: ' <<<"$output")" -eq 1 ]
	for command in bin/{rows,kunit,mutants,matrix,check} engine/read-log; do
		run bash -c "$command 2>&1 >&-"
		echo "$command"
		one_error "error: *standard output*"
	done
	for command in kunit mutants matrix soak bench check; do
		JOBS=x run "bin/$command"
		one_error "error: JOBS*"
	done
	mkdir "$BATS_TEST_TMPDIR/results"
	run engine/read-log "$BATS_TEST_TMPDIR/results"
	echo "status $status: $output"
	[ "$status" -eq 2 ]
	[ "$(grep -c '^error: ' <<<"$output")" -eq 1 ]
}

@test "8. in whichever order, the same answers: trees that share their .c files and not the header" {
	small_tree $vulnerable "$KDIR"
	# Without a lock in its .c files, and with one in another's header
	sed -i '/mp_state_lock/d' "$KDIR"/arch/riscv/kvm/*.c "$KDIR"/arch/riscv/include/asm/kvm_host.h
	cp -r "$KDIR" "$BATS_TEST_TMPDIR/other"
	echo 'struct lock { spinlock_t mp_state_lock; };' >>"$BATS_TEST_TMPDIR/other/arch/riscv/include/asm/kvm_host.h"
	for jobs in 1 2; do
		JOBS=$jobs run --separate-stderr bin/triage "$KDIR" "$BATS_TEST_TMPDIR/other"
		forth=$(cut -f 1,2 <<<"$output" | sort)
		JOBS=$jobs run --separate-stderr bin/triage "$BATS_TEST_TMPDIR/other" "$KDIR"
		echo "$forth -- $(cut -f 1,2 <<<"$output")"
		[ "$(cut -f 1,2 <<<"$output" | sort)" = "$forth" ]
		[ "$(cut -f 1 <<<"$forth" | sort -u | wc -l)" -eq 2 ]
	done
}
