#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The patches in patches/: what the sources give, and what git makes of them.

load lib/setup

setup_file() {
	load lib/setup
	make_all
}

am() { git -C "$1" -c user.name=Tester -c user.email=tester@example.org am -q "${@:2}"; }

@test "patches/ is what the sources give" {
	for dir in patches/*; do
		diff -rq "$dir" "$patches/${dir#*/}" || { echo "run 'make series' and commit what it changes"; false; }
	done
}

@test "the patches do not depend on who makes them, where and when" {
	export HOME=$BATS_TEST_TMPDIR TZ=Pacific/Auckland LANG=tr_TR.UTF-8 GIT_AUTHOR_NAME=Else GIT_COMMITTER_DATE=@1
	umask 077
	git config --global diff.noprefix true
	git config --global format.signature else
	git config --global core.abbrev 7
	KERNELS=$vulnerable OUT=$BATS_TEST_TMPDIR/patches bin/series
	diff -rq "$patches/linux-$vulnerable" "$BATS_TEST_TMPDIR/patches/linux-$vulnerable"
}

@test "a change of a source shows in the patches" {
	copy=$BATS_TEST_TMPDIR/copy
	mkdir "$copy"
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
	echo '/* changed */' >>"$copy/arch/riscv/kvm/vcpu_sbi_test.c"
	BUILD=$build KERNELS=$vulnerable OUT=$BATS_TEST_TMPDIR/patches "$copy/bin/series"
	run diff -r "$patches/linux-$vulnerable" "$BATS_TEST_TMPDIR/patches/linux-$vulnerable"
	[ "$status" -eq 1 ]
	[[ $output == *"changed */"* ]]
}

@test "git am takes the patches of each kernel, series by series, as the glob of the README finds them" {
	for version in $(patched); do
		tree=$BATS_TEST_TMPDIR/$version
		small_tree "$version" "$tree"
		in_git "$tree"
		am "$tree" "$patches/linux-$version/"*/*.patch
		small_tree "$version" "$tree.applied"
		engine/apply-patch "$tree.applied"
		for file in $(sed "/^#/d" series/order | cut -d" " -f2- | xargs -n 1 | grep /); do
			cmp "$tree.applied/$file" "$tree/$file"
			[ "$version" != $fixed ] || cmp "$file" "$tree/$file"
		done
		[ -z "$(git -C "$tree" status --porcelain)" ]
	done
}

@test "each series applies alone, each cover letter lists its own patches and names the base" {
	for version in $(patched); do
		small_tree "$version" "$BATS_TEST_TMPDIR/$version"
		in_git "$BATS_TEST_TMPDIR/$version"
		for series in "$patches/linux-$version"/*; do
			tree=$BATS_TEST_TMPDIR/$version-${series##*/}
			git clone -q "$BATS_TEST_TMPDIR/$version" "$tree"
			# one mailbox, as a list has it
			cat "$series"/*.patch >"$tree.mbox"
			am "$tree" "$tree.mbox"
			cover=$series/0000-cover-letter.txt
			count=$(ls "$series"/*.patch | wc -l)
			grep "^Subject: \[PATCH 0/$count\] " "$cover"
			diff <(git -C "$tree" log --reverse --format='  %s' origin/HEAD..) <(sed -n '/ ([0-9]*):$/,/^$/s/^  .*/&/p' "$cover")
			grep -x "Based on v$version\." "$cover"
			! LC_ALL=C grep -q '[^[:print:][:space:]]' "$cover" || sed '/^$/q' "$cover" | grep -x 'Content-Type: text/plain; charset=UTF-8'
			run grep -r 'base-commit\|prerequisite' "$series"
			[ "$status" -eq 1 ]
		done
		# What includes the header comes after it.
		grep -l 'include <kunit/guarded.h>' "$patches/linux-$version"/[2-9]*/*
		[ -e "$patches/linux-$version/1-kunit/"*lock.patch ]
	done
	diff <(ls "$patches/linux-$fixed") <(sed '/^#/d' series/order | awk '{ print $2 }' | sort -u)
	diff <(ls series/*.cover) <(ls "$patches/linux-$fixed" | sed 's,.*,series/&.cover,')
}

@test "FULL= has a base-commit where the tag is, and nowhere else" {
	tree=$BATS_TEST_TMPDIR/tree
	small_tree $vulnerable "$tree"
	in_git "$tree"
	git -C "$tree" -c user.name=Tester -c user.email=tester@example.org tag -a -m . v$vulnerable
	git -C "$tree" tag v$fixed
	FULL=$tree KERNELS="$vulnerable $fixed" OUT=$BATS_TEST_TMPDIR/patches run bin/series
	echo "$output"
	[[ $status -eq 0 && $output == *"Linux $fixed: no base-commit: "*" no v$fixed with the same files"* ]]
	cd "$BATS_TEST_TMPDIR/patches"
	[ "$(grep -rl '^base-commit: ' . | sort | xargs)" = "$(echo ./linux-$vulnerable/*/0000-cover-letter.txt)" ]
	[ "$(grep -rhE '^base-commit: ' . | sort -u)" = "base-commit: $(git -C "$tree" rev-parse HEAD)" ]
	# The series that needs another one names it.
	[ "$(grep -r '^prerequisite-patch-id: ' .)" = "./linux-$vulnerable/2-kvm/0000-cover-letter.txt:prerequisite-patch-id: $(git patch-id --stable <linux-$vulnerable/1-kunit/0001-* | cut -d' ' -f 1)" ]
	FULL=/nowhere run "$top/bin/series"
	[[ $status -eq 2 && $output == "error: FULL: /nowhere is not a git tree" ]]
}

# git puts what has no context where the line number says, which is another place in other kernels.
@test "no change inserts lines without a line that says where" {
	run grep -rnE '^@@ -[0-9]+,0 ' --include='*.diff' --include='*.adapt' --exclude-dir=build .
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "the patches apply without fuzz and without an offset" {
	for version in $(patched); do
		tree=$BATS_TEST_TMPDIR/$version
		small_tree "$version" "$tree"
		for patch in "$patches/linux-$version/"*/*.patch; do
			run patch -d "$tree" -p1 --fuzz=0 <"$patch"
			echo "$output"
			[ "$status" -eq 0 ]
			[[ $output != *offset* ]]
		done
	done
}

@test "the fix is upstream's two lines, only where the bug is" {
	expected='-		spin_lock(&vcpu->arch.mp_state_lock);
+		spin_lock(&tmp->arch.mp_state_lock);
-		spin_unlock(&vcpu->arch.mp_state_lock);
+		spin_unlock(&tmp->arch.mp_state_lock);'
	for version in $(patched); do
		fix=("$patches/linux-$version/2-kvm/"*Take-each-vCPU*.patch)
		if grep -q 'spin_lock(&vcpu->arch.mp_state_lock)' "$(engine/fetch-kernel "$version")/arch/riscv/kvm/vcpu_sbi.c"; then
			[[ ${fix[0]} == */0001-* ]]
			[ "$(grep -E '^[-+]([^-+]|$)' "${fix[0]}")" = "$expected" ]
			[ "$(grep -c '^diff ' "${fix[0]}")" -eq 1 ]
		else
			[ ! -e "${fix[0]}" ]
		fi
	done
	[ -e "$patches/linux-$vulnerable/2-kvm/0003"* ]
}

@test "no trailer names a person" {
	run grep -rhE '^[A-Z][A-Za-z-]+-by:|^(Cc|To|Fixes|Link|Closes):' patches
	[ "$(sort -u <<<"$output")" = 'Fixes: 13acfec2dbcc ("RISC-V: KVM: Add remote HFENCE functions based on VCPU requests")
Fixes: 2121cadec45a ("RISCV: KVM: Introduce mp_state_lock to avoid lock inversion")
Fixes: 74967aa208e2 ("RISC-V: KVM: Add in-kernel emulation of AIA APLIC")
Fixes: bae0dfd74e01 ("RISC-V: KVM: Modify SBI extension handler to return SBI error code")
Fixes: fd7bb4a251df ("RISC-V: KVM: Implement VMID allocator")' ]
}

@test "SIGNOFF=1 makes the user author and signer of each patch, and changes nothing else" {
	export HOME=$BATS_TEST_TMPDIR
	git config --global user.name 'Jane Doe'
	git config --global user.email jane@example.org
	SIGNOFF=1 KERNELS=$(patched | xargs) OUT=$BATS_TEST_TMPDIR/signed bin/series
	run diff -r "$patches" "$BATS_TEST_TMPDIR/signed"
	signed=$(grep -c '^> Signed-off-by: Jane Doe <jane@example.org>$' <<<"$output")
	[ "$signed" -eq "$(find "$patches" -name '*.patch' | wc -l)" ]
	[ "$(grep -c '^> From: Jane Doe <jane@example.org>$' <<<"$output")" -eq "$(find "$patches" -type f | wc -l)" ]
	author=$(cat series/author)
	[ -z "$(grep '^[<>]' <<<"$output" | grep -vE '^> ((Signed-off-by|From): Jane Doe <jane@example.org>|Jane Doe \([0-9]+\):)?$' |
		grep -vxF -e "< From: ${author% <*}" -e "<  <${author#*<}" | grep -vE "^< ${author% <*} \([0-9]+\):$")" ]
}

@test "SIGNOFF=1 without an identity says what to set" {
	# Not from within a clone that has an identity of its own.
	cd "$BATS_TEST_TMPDIR"
	HOME=$BATS_TEST_TMPDIR GIT_CONFIG_SYSTEM=/dev/null SIGNOFF=1 EMAIL='' OUT=$BATS_TEST_TMPDIR/signed run "$top/bin/series"
	[ "$status" -eq 2 ]
	one_line
}

@test "checkpatch --strict is clean on every patch" {
	# Signed off by who sends them. The commits that the messages name are in the
	# kernel's history, which no tarball has. Whether a new file needs a line in
	# MAINTAINERS is another test.
	export HOME=$BATS_TEST_TMPDIR
	git config --global user.name 'Jane Doe'
	git config --global user.email jane@example.org
	SIGNOFF=1 KERNELS=$(patched | xargs) OUT=$BATS_TEST_TMPDIR/signed bin/series
	for version in $(patched); do
		for patch in "$BATS_TEST_TMPDIR/signed/linux-$version/"*/*.patch; do
			(cd "$build/src/linux-$version" && perl scripts/checkpatch.pl --strict --ignore UNKNOWN_COMMIT_ID,FILE_PATH_CHANGES "$patch")
		done
	done
}

@test "the new files find the KVM/riscv maintainers and lists" {
	for version in $(patched); do
		tree=$BATS_TEST_TMPDIR/$version
		small_tree "$version" "$tree"
		cp -r "$build/src/linux-$version/scripts" "$tree/"
		in_git "$tree"
		am "$tree" "$patches/linux-$version/"*/*.patch
		for file in $(git -C "$tree" diff --name-only --diff-filter=A HEAD~"$(ls "$patches/linux-$version"/*/*.patch | wc -l)" -- arch Documentation/virt); do
			run bash -c "cd '$tree' && perl scripts/get_maintainer.pl --no-git --no-git-fallback --no-tree -f '$file'"
			[[ $output == *"Anup Patel"* && $output == *kvm-riscv@lists.infradead.org* ]]
		done
	done
}
