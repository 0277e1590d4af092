#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The patches for one tree, as a backporter asks for them.

load lib/setup

setup() {
	KDIR=$BATS_TEST_TMPDIR/tree
	patches=$BATS_TEST_TMPDIR/made
}

am() { git -C "$KDIR" -c user.name=Tester -c user.email=tester@example.org am -q "$@"; }

# refused PATTERN: one line that matches, and no patches
refused() {
	run make -s patches KDIR="$KDIR" OUT="$patches"
	output=$(grep -v '^make' <<<"$output")
	echo "$output"
	[ "$status" -ne 0 ]
	one_line
	[[ $output == $1 ]]
	[ ! -e "$patches" ]
}

# partial PATTERN: patches, exit status 4, and a line that matches for each that was left out
partial() {
	run bin/patches "$KDIR" "$patches"
	echo "status $status: $output"
	[ "$status" -eq 4 ]
	[ -e "$patches/0000-cover-letter.txt" ]
	[[ $(grep '^left out' <<<"$output" | xargs -d '\n') == $1 ]]
}

@test "a tree with the bug and changes around it: patches that git am takes, and the tree stays as it is" {
	small_tree $vulnerable "$KDIR"
	# Lines further up, another entry in Kconfig, another maintainer's file.
	sed -i '1i /* a vendor was here */' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	sed -i '3i # and here' "$KDIR/arch/riscv/kvm/Kconfig" "$KDIR/arch/riscv/kvm/Makefile"
	in_git "$KDIR"
	before=$(snapshot "$KDIR")
	make -s patches KDIR="$KDIR" OUT="$patches"
	[ "$(snapshot "$KDIR")" = "$before" ]
	diff <(cd "$patches" && ls) <(ls "$(flat $vulnerable)")
	run patch -d "$KDIR" -p1 --dry-run --fuzz=0 <"$patches/"0001-*
	[[ $status -eq 0 && $output != *offset* ]]
	am "$patches"/*.patch
	run bin/triage "$KDIR"
	[ "$status" -eq 0 ]
}

@test "a tree that has the fix, in other words: no fix among the patches" {
	small_tree $fixed "$KDIR"
	sed -i -e 's/spin_lock(&tmp->arch.mp_state_lock)/guard(spinlock)(\&tmp->arch.mp_state_lock)/' \
		-e '/spin_unlock(&tmp->arch.mp_state_lock)/d' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	grep 'guard(spinlock)(&tmp' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	in_git "$KDIR"
	make -s patches KDIR="$KDIR" OUT="$patches"
	diff <(cd "$patches" && ls) <(ls "$(flat $fixed)")
	am "$patches"/*.patch
}

@test "a tree that has the fix, where the state is written in other words: what applies, and what does not" {
	small_tree $fixed "$KDIR"
	sed -i 's/\btmp\b/target/g' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	partial "left out: patch 'assert': *arch/riscv/kvm/vcpu_sbi.c*"
	[ "$(ls "$patches" | wc -l)" = $(($(ls "$(flat $fixed)" | wc -l) - 1)) ]
	in_git "$KDIR"
	am "$patches"/*.patch
}

# unnumbered PATCH...: each with its subject in a line, and without its number
unnumbered() { perl -0777 -pe 's/^Subject: \[.*?\](.*(?:\n .*)*)/"Subject:" . ($1 =~ s,\n,,gr)/me' "$@"; }

@test "a base gets the very patches that are in patches/, as one series with the fix first" {
	for version in $vulnerable $fixed; do
		bin/patches "$build/src/linux-$version" "$patches"
		[ -z "$(find "$patches" -mindepth 1 -type d)" ]
		diff <(unnumbered "$patches"/*.patch | sort) <(unnumbered "patches/linux-$version"/*/*.patch | sort)
	done
	[ -e "$(flat $vulnerable)"/0001-*Take-each-vCPU*.patch ]
}

@test "base-commit: that of the tree's HEAD or of REV, where it has the same files; none without git" {
	small_tree $vulnerable "$KDIR"
	bin/patches "$KDIR" "$patches"
	diff -r "$patches" "$(flat $vulnerable)"
	run grep -r base-commit "$patches"
	[ "$status" -eq 1 ]
	in_git "$KDIR"
	for revision in '' HEAD; do
		REV=$revision bin/patches "$KDIR" "$patches"
		[ "$(grep -r '^base-commit: ' "$patches")" = "$patches/0000-cover-letter.txt:base-commit: $(git -C "$KDIR" rev-parse HEAD)" ]
	done
	# These files no commit has.
	echo '/* not committed */' >>"$KDIR/arch/riscv/kvm/vcpu.c"
	bin/patches "$KDIR" "$patches"
	run grep -r base-commit "$patches"
	[ "$status" -eq 1 ]
	# In a directory of another repository
	git -C "$KDIR" checkout -q .
	mkdir "$BATS_TEST_TMPDIR/outer"
	rm -rf "$KDIR/.git"
	mv "$KDIR" "$BATS_TEST_TMPDIR/outer/tree"
	in_git "$BATS_TEST_TMPDIR/outer"
	bin/patches "$BATS_TEST_TMPDIR/outer/tree" "$patches"
	diff -r "$patches" "$(flat $vulnerable)"
}

@test "a revision of a bare repository" {
	small_tree $vulnerable "$BATS_TEST_TMPDIR/work"
	in_git "$BATS_TEST_TMPDIR/work"
	git -C "$BATS_TEST_TMPDIR/work" tag v1
	git clone -q --bare "$BATS_TEST_TMPDIR/work" "$KDIR"
	make -s patches KDIR="$KDIR" REV=v1 OUT="$patches"
	same "$patches" $vulnerable
}

# proposal: the first patch says what it is, applies, and triage calls the result fixed
proposal() {
	grep '^Subject: .*PROPOSAL: ' "$patches"/0001-*
	grep '^A proposal, made for this tree by a program: review it' "$patches"/0001-*
	in_git "$KDIR"
	am "$patches"/0001-*.patch
	[[ $(bin/triage "$KDIR") == fixed$'\t'* ]]
}

@test "a tree with the bug in other lines than the fix knows: a proposal first" {
	small_tree $vulnerable "$KDIR"
	sed -i 's/\btmp\b/target/g; s/spin_lock(&vcpu->/spin_lock(\& vcpu->/' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	partial "left out: patch 'assert': *"
	proposal
	grep '^+.*spin_lock(& target->arch.mp_state_lock)' "$patches"/0001-*
	[ "$(grep -c '^[-+][^-+]' "$patches"/0001-*)" -eq 4 ]
}

@test "a tree with the bug in another shape: the function as upstream has it is the proposal" {
	small_tree $vulnerable "$KDIR"
	sed -i 's/spin_\(un\)\?lock(&vcpu->arch.mp_state_lock)/mutex_\1lock(\&vcpu->kvm->lock)/' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	bin/patches "$KDIR" "$patches" || [ $? = 4 ]
	proposal
	grep '^+.*spin_lock(&tmp->arch.mp_state_lock)' "$patches"/0001-*
}

@test "a tree without Documentation/: the fix, and what needs none" {
	small_tree $vulnerable "$KDIR"
	rm -r "$KDIR/Documentation"
	partial "left out: patch 'assert': Documentation/* left out: patch 'guarded': Documentation/* left out: patch 'kunit': it needs 'guarded'*left out: patch 'writers': it needs *"
	diff <(unnumbered "$patches"/0001-*) <(unnumbered "$(flat $vulnerable)"/0001-*)
}

@test "a tree that is not affected, one that cannot be told, one that has the suite, one that is none" {
	small_tree $vulnerable "$KDIR"
	sed -i '/WRITE_ONCE(tmp/,$d' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	refused '*unknown*'
	small_tree $vulnerable "$KDIR"
	sed -i '/mp_state_lock/d; s/struct kvm_mp_state mp_state;/bool power_off;/' "$KDIR"/arch/riscv/kvm/*.c "$KDIR/arch/riscv/include/asm/kvm_host.h"
	sed -i 's/WRITE_ONCE(tmp->arch.mp_state.mp_state, .*/tmp->arch.power_off = true;/' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	refused '*not affected*no mp_state_lock*'
	small_tree $vulnerable "$KDIR"
	touch "$KDIR/arch/riscv/kvm/vcpu_sbi_test.c"
	refused '*has the suite already*'
	tar -C "$KDIR" -cf "$KDIR.tar" .
	KDIR=$KDIR.tar
	refused '*is a file: unpack it*'
	KDIR=$BATS_TEST_TMPDIR
	refused '*not the top of a kernel source tree*'
}

@test "a tree to which the suite does not apply" {
	small_tree $vulnerable "$KDIR"
	sed -i '/RISCV_SBI_V01/d' "$KDIR/arch/riscv/kvm/Makefile"
	partial "left out: patch 'kunit': *arch/riscv/kvm/Makefile* left out: patch 'writers': it needs 'kunit' left out: patch 'locks': it needs 'kunit'"
}

@test "OUT that is missing, holds something else, or cannot be written; twice is as good as once" {
	KDIR=$(engine/fetch-kernel $vulnerable)
	run bin/patches "$KDIR"
	[[ $status -eq 2 && $output == *"where the patches are to go"* ]]
	mkdir "$patches"
	touch "$patches/thesis.tex"
	run bin/patches "$KDIR" "$patches"
	[[ $status -eq 2 && $output == *"thesis.tex was not made by an earlier run"* ]]
	[ "$(ls "$patches")" = thesis.tex ]
	rm "$patches/thesis.tex"
	bin/patches "$KDIR" "$patches"
	bin/patches "$KDIR" "$patches"
	same "$patches" $vulnerable
	run bin/patches "$KDIR" /proc/patches
	echo "$output"
	[[ $status -eq 2 && $output == *"cannot write the patches"* ]]
}
