#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Whether a tree has the bug, told from what the code does.

load lib/setup

# run --separate-stderr
bats_require_minimum_version 1.5.0

setup() { KDIR=$BATS_TEST_TMPDIR/tree; }

# tree VERSION [SED-SCRIPT]: a tree in $KDIR, with a change to vcpu_sbi.c
tree() {
	small_tree "$1" "$KDIR"
	[ -z "${2:-}" ] || sed -i "$2" "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
}

# says VERDICT EVIDENCE [ARGUMENT...]: the one line of triage, and its exit status
says() {
	local expected=([0]="fixed|not affected" [1]=vulnerable [3]=unknown)
	run --separate-stderr "$top/bin/triage" "${@:3}"
	echo "$output $stderr"
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "$1"$'\t'* ]]
	grep -qE -- "$2" <<<"$output"
	[[ "|${expected[status]}|" == *"|$1|"* ]]
}

# reset BODY: in $KDIR, BODY instead of the loop
reset() {
	tree $vulnerable
	awk -v body="$1" '
		/^void kvm_riscv_vcpu_sbi_system_reset/ { inside = 1 }
		inside && /kvm_for_each_vcpu/ { print body; skip = 1 }
		!skip
		skip && /^\t}/ { skip = inside = 0 }' "$KDIR/arch/riscv/kvm/vcpu_sbi.c" >"$BATS_TEST_TMPDIR/new.c"
	mv "$BATS_TEST_TMPDIR/new.c" "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
}

write='WRITE_ONCE(tmp->arch.mp_state.mp_state, KVM_MP_STATE_STOPPED);'

# helper FUNCTION: put it before the reset
helper() {
	awk -v text="$1" '/^void kvm_riscv_vcpu_sbi_system_reset/ { print text } 1' \
		"$KDIR/arch/riscv/kvm/vcpu_sbi.c" >"$BATS_TEST_TMPDIR/new.c"
	mv "$BATS_TEST_TMPDIR/new.c" "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
}

@test "each kernel of series/bases, and make's own way of asking" {
	fetch_bases
	for version in $(bases); do
		tree=$build/src/linux-$version
		[ -d "$tree" ] || continue
		case $version in
		"$vulnerable") says vulnerable "vcpu_sbi.c:143: mp_state of 'tmp' is written under the mp_state_lock of 'vcpu'; 1 write judged: vcpu_sbi.c:143"$'\t' "$tree" ;;
		6.1.*) says 'not affected' 'vcpu_sbi.c:[0-9]' "$tree" ;;
		*) says fixed 'vcpu_sbi.c:[0-9]' "$tree" ;;
		esac
	done
	run --separate-stderr make -s triage KDIR="$tree"
	[ "${#lines[@]}" -eq 1 ]
}

@test "tests/triage: disguised resets, none answered wrongly" {
	for file in tests/triage/*.c; do
		base=$(sed -n 's,^// Base: ,,p' "$file") right=$(sed -n 's,^// Right: ,,p' "$file") triage=$(sed -n 's,^// Triage: ,,p' "$file")
		[ -d "$build/src/linux-$base" ] || { echo "# no Linux $base: $file not tried" >&3; continue; }
		KDIR=$BATS_TEST_TMPDIR/$base
		[ -d "$KDIR" ] || small_tree "$base" "$KDIR"
		in_place_of_the_reset "$file" "$build/src/linux-$base" >"$BATS_TEST_TMPDIR/new.c"
		cp "$BATS_TEST_TMPDIR/new.c" "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
		echo "$file: right: $right"
		says "$triage" . "$KDIR"
		[[ $triage == unknown || $triage == "$right" ]]
	done
	# Of those that are not made to deceive this program, half at least are answered.
	[ "$(cat tests/triage/[!a]*.c | grep -c '^// Triage: unknown')" -lt 15 ]
}

@test "other names of the variables, white space, comments" {
	tree $vulnerable 's/\btmp\b/target/g; s/&vcpu->arch\.mp_state_lock/\& vcpu \/* the caller *\/ -> arch.mp_state_lock/; s/\bvcpu\b/caller/g'
	says vulnerable "'target' is written under the mp_state_lock of 'caller'" "$KDIR"
	tree $fixed 's/\btmp\b/target/g'
	says fixed "own mp_state_lock" "$KDIR"
}

@test "half of the lines corrected" {
	tree $vulnerable 's/spin_lock(&vcpu->arch.mp_state_lock)/spin_lock(\&tmp->arch.mp_state_lock)/'
	says vulnerable "but that of 'vcpu' is released" "$KDIR"
	tree $vulnerable 's/spin_unlock(&vcpu->arch.mp_state_lock)/spin_unlock(\&tmp->arch.mp_state_lock)/'
	says vulnerable "under the mp_state_lock of 'vcpu'" "$KDIR"
}

@test "scoped_guard and guard, of the right vCPU and of the wrong one" {
	for vcpu in tmp vcpu; do
		verdict=fixed
		[ $vcpu = tmp ] || verdict=vulnerable
		reset "	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		scoped_guard(spinlock, &$vcpu->arch.mp_state_lock)
			$write
	}"
		says $verdict "vcpu_sbi.c:143: " "$KDIR"
		reset "	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		guard(spinlock)(&$vcpu->arch.mp_state_lock);
		$write
	}"
		says $verdict "vcpu_sbi.c:143: " "$KDIR"
	done
	reset "	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		{
			guard(spinlock)(&tmp->arch.mp_state_lock);
		}
		$write
	}"
	says vulnerable "under no mp_state_lock" "$KDIR"
}

@test "a helper that has the lock, one whose caller has it, and the one of vcpu.c" {
	reset '	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		stop(tmp);
	}'
	helper 'static void stop(struct kvm_vcpu *v)
{
	spin_lock(&v->arch.mp_state_lock);
	v->arch.mp_state.mp_state = KVM_MP_STATE_STOPPED;
	spin_unlock(&v->arch.mp_state_lock);
}
'
	says fixed "its own mp_state_lock" "$KDIR"

	for vcpu in tmp vcpu; do
		verdict=fixed
		[ $vcpu = tmp ] || verdict=vulnerable
		reset "	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		spin_lock(&$vcpu->arch.mp_state_lock);
		__kvm_riscv_vcpu_power_off(tmp);
		spin_unlock(&$vcpu->arch.mp_state_lock);
	}"
		says $verdict "vcpu_sbi.c:143: " "$KDIR"
	done

	reset '	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		kvm_riscv_vcpu_power_off(tmp);
	}'
	says fixed "vcpu_sbi.c:142" "$KDIR"
	# The helper is looked at, whatever its name says.
	sed -i '/^void kvm_riscv_vcpu_power_off/,/^}/{/spin_/d}' "$KDIR/arch/riscv/kvm/vcpu.c"
	says vulnerable "under no mp_state_lock" "$KDIR"
	sed -i '/^void kvm_riscv_vcpu_power_off/,/^}/s/__kvm_riscv_vcpu_power_off/kvm_vcpu_off/' "$KDIR/arch/riscv/kvm/vcpu.c"
	says unknown "vcpu.c:[0-9]*: not understood: kvm_vcpu_off" "$KDIR"
}

@test "the loop in a helper" {
	reset '	stop_all(vcpu);'
	helper 'static void stop_all(struct kvm_vcpu *self)
{
	struct kvm_vcpu *each;
	unsigned long i;

	kvm_for_each_vcpu(i, each, self->kvm) {
		spin_lock(&self->arch.mp_state_lock);
		WRITE_ONCE(each->arch.mp_state.mp_state, KVM_MP_STATE_STOPPED);
		spin_unlock(&self->arch.mp_state_lock);
	}
}
'
	says vulnerable "'each' is written under the mp_state_lock of 'vcpu'" "$KDIR"
}

@test "what is not known is unknown, with the line and the command that decides" {
	while IFS='|' read -r from to line; do
		tree $fixed "s|$from|$to|"
		says unknown "vcpu_sbi.c:[0-9]*: not understood: .*$line.*; to decide: make kunit KDIR=$KDIR"$'\t' "$KDIR"
	done <<-'END'
		spin_lock(&tmp->|while (!spin_trylock(\&tmp->|while \(!spin_trylock
		WRITE_ONCE(tmp->.*|STOP(tmp);|STOP\(tmp\);
		WRITE_ONCE|tmp = vcpu, WRITE_ONCE|tmp = vcpu, WRITE
		spin_lock(&tmp->|tmp++; spin_lock(\&tmp->|tmp\+\+
		kvm_make_all|if (type) kvm_make_all|if \(type
		spin_unlock(&tmp->.*|if (type) return;|if \(type\) return
	END
	tree $vulnerable '/WRITE_ONCE(tmp/,$d'
	says unknown 'vcpu_sbi.c:' "$KDIR"
	# The function as a whole, rather than a statement of it
	tree $fixed '/kvm_make_all_cpus_request/d'
	says unknown 'each statement is understood' "$KDIR"
	# The work tree may have other files than the revision.
	in_git "$KDIR"
	REV=HEAD says unknown 'each statement is understood.*; to decide: make kunit KDIR=path'$'\t' "$KDIR"
}

@test "names that mean something else: in the file, a header, vcpu.c, the Makefile" {
	sbi=arch/riscv/kvm/vcpu_sbi.c
	tree $fixed
	cp -r "$KDIR" "$BATS_TEST_TMPDIR/plain"
	while IFS='|' read -r file text; do
		rm -r "$KDIR"
		cp -r "$BATS_TEST_TMPDIR/plain" "$KDIR"
		{ printf '%b\n' "$text"; cat "$BATS_TEST_TMPDIR/plain/$file"; } >"$KDIR/$file"
		echo "$file: $text"
		says unknown . "$KDIR"
	done <<-END
		$sbi|#define spin_lock(x) nop(x)
		$sbi|#define tmp vcpu
		$sbi|# /* x */ define mp_state_lock hfence_lock
		$sbi|#def\\\\\\\\\\nine spin_l\\\\\\\\\\nock(x) nop(x)
		$sbi|#include "reset.inc"
		$sbi|#pragma weak kvm_riscv_vcpu_sbi_system_reset = other
		$sbi|asm(".weak kvm_riscv_vcpu_sbi_system_reset");
		$sbi|static void spin_lock(spinlock_t *l) { }
		$sbi|#define u64 u32
		$sbi|#define xa_find(a, b, c, d) vcpu
		$sbi|#define __WRITE_ONCE(x, value) do { } while (0)
		$sbi|#define KVM_ARCH_REQ_FLAGS(a, b) 9
		$sbi|#define __memset(a, b, c) (void)0
		arch/riscv/include/asm/kvm_aia.h|#define raw_spin_lock(l) do { } while (0)
		arch/riscv/include/asm/kvm_host.h|#define kvm_riscv_vcpu_sbi_system_reset other
		arch/riscv/include/asm/sbi.h|#define WRITE_ONCE(x, y) nop(x)
		arch/riscv/kvm/vcpu.c|void kvm_riscv_vcpu_sbi_system_reset(struct kvm_vcpu *v, struct kvm_run *r, u32 t, u64 x) { }
		arch/riscv/kvm/Makefile|ccflags-y += -Dspin_lock=nop
		arch/riscv/kvm/Makefile|FLAG=-Dspin_lock=nop
		arch/riscv/kvm/Makefile|ccflags-y += -Wp,-Dspin_lock=nop
		arch/riscv/kvm/Makefile|CFLAGS_vcpu_sbi.o := '-Dspin_lock(x)='
		arch/riscv/kvm/Makefile|CFLAGS_vcpu_sbi.o := --include=other.h
		arch/riscv/kvm/Makefile|CFLAGS_vcpu_sbi.o := @\$(src)/flags
		arch/riscv/kvm/Makefile|CFLAGS_vcpu_sbi.o := \$(shell cat \$(src)/flags)
		arch/riscv/kvm/Makefile|\$(obj)/vcpu_sbi.o: \$(src)/other.c
	END
	# What a file includes as its tests counts as its own.
	rm -r "$KDIR"
	cp -r "$BATS_TEST_TMPDIR/plain" "$KDIR"
	echo '#include "a_test.c"' >>"$KDIR/$sbi"
	echo '#define SOURCE 2' >"$KDIR/arch/riscv/kvm/a_test.c"
	says unknown 'a_test.c:1: .SOURCE. may be' "$KDIR"
	echo '/* nothing */' >"$KDIR/arch/riscv/kvm/a_test.c"
	says fixed . "$KDIR"
	# Code that is there under a condition
	for before in '/^void kvm_riscv_vcpu_sbi_system_reset/' '/WRITE_ONCE(tmp/'; do
		tree $fixed "$before i #ifdef CONFIG_X"
		echo '#endif' >>"$KDIR/$sbi"
		says unknown . "$KDIR"
	done
}

@test "a lock of another name does not make a tree unaffected" {
	tree $vulnerable
	sed -i 's/mp_state_lock/power_lock/g' "$KDIR"/arch/riscv/kvm/*.c "$KDIR/arch/riscv/include/asm/kvm_host.h"
	says unknown 'not understood: spin_lock' "$KDIR"
	sed -i '/power_lock/d' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	says unknown 'mp_state and mp_state_lock are not as they were' "$KDIR"
}

@test "the version decides nothing" {
	tree $vulnerable
	sed -i 's/^VERSION = .*/VERSION = 5/' "$KDIR/Makefile"
	says vulnerable $'\t5.12.8\t' "$KDIR"
}

# mutants KIND PATTERN: a tree of each wrong or right reset whose text matches, as $trees/name
mutants() {
	local patch name
	trees=$BATS_TEST_TMPDIR/trees
	mkdir "$trees"
	KDIR=$BATS_TEST_TMPDIR/plain
	tree $fixed
	engine/apply-patch "$KDIR" assert
	# Those of reset_state are in the same file, and not of the reset.
	grep -l '^+++ .*/vcpu_sbi[.]c$' tests/mutants/"$1"/*.diff | grep -v /reset-state- | xargs grep -lE "$2" | while read -r patch; do
		name=$trees/$(basename "$patch" .diff)
		cp -r "$KDIR" "$name"
		(cd "$name" && git apply "$top/$patch")
	done
}

@test "no wrong mutant is called fixed" {
	mutants wrong .
	run --separate-stderr bin/triage "$trees"/*
	echo "$output"
	[ "${#lines[@]}" -ge 80 ]
	[ "$(grep -c '^fixed' <<<"$output")" -eq 0 ]
	[ "$(grep -c '^vulnerable' <<<"$output")" -ge 15 ]
}

@test "no right mutant is called vulnerable, and some are called fixed" {
	mutants right .
	run --separate-stderr bin/triage "$trees"/*
	echo "$output"
	[ "${#lines[@]}" -ge 20 ]
	[ "$(grep -c '^vulnerable' <<<"$output")" -eq 0 ]
	[ "$(grep -c '^fixed' <<<"$output")" -ge 12 ]
}

@test "a tarball, with a directory on top and without one, and a broken one" {
	small_tree $vulnerable "$BATS_TEST_TMPDIR/linux-$vulnerable"
	cd "$BATS_TEST_TMPDIR"
	tar -cJf linux.tar.xz "linux-$vulnerable"
	tar -C "linux-$vulnerable" -czf 'a linux.orig.tar.gz' Makefile arch
	says vulnerable $'linux.tar.xz\t-\t'$vulnerable linux.tar.xz
	says vulnerable "$vulnerable" 'a linux.orig.tar.gz'
	head -c 20000 linux.tar.xz >broken.tar.xz
	says unknown 'it cannot be read' broken.tar.xz
	tar -cf none.tar "linux-$vulnerable/MAINTAINERS"
	says unknown 'not the top of a kernel' none.tar
	tar -cJf linux.txz "linux-$vulnerable"
	tar -czf linux.tgz "linux-$vulnerable"
	says vulnerable "$vulnerable" linux.txz
	says vulnerable "$vulnerable" linux.tgz
	# What a link in it names is not read.
	mv "linux-$vulnerable/Makefile" .
	ln -s "$BATS_TEST_TMPDIR/Makefile" "linux-$vulnerable/Makefile"
	tar -cf link.tar "linux-$vulnerable"
	says unknown 'not the top of a kernel' link.tar
}

@test "a Debian source package: with its patches, and with what is wrong in it" {
	mkdir -p "$BATS_TEST_TMPDIR/package/debian/patches/x"
	small_tree $vulnerable "$BATS_TEST_TMPDIR/package/linux-$vulnerable"
	cd "$BATS_TEST_TMPDIR/package"
	cp -r "linux-$vulnerable" new
	"$top/engine/apply-patch" new fix
	diff -ru "linux-$vulnerable" new | sed "s,^--- linux-$vulnerable,--- a,; s,^+++ new,+++ b," >debian/patches/x/fix.patch || true
	printf -- '--- a/fs/y.c\n+++ b/fs/y.c\n@@ -1 +1 @@\n-a\n+b\n' >>debian/patches/x/fix.patch
	printf 'Nothing of ours\n--- a/fs/x.c\n+++ b/fs/x.c\n@@ -1 +1 @@\n-a\n+b\n' >debian/patches/other.patch
	package() {
		printf "$1" >debian/patches/series
		tar -cJf linux.orig.tar.xz "linux-$vulnerable"
		tar -cJf linux-1.debian.tar.xz debian
		printf 'Format: 3.0 (quilt)\nSource: linux\nChecksums-Sha256:\n' >linux.dsc
		sha256sum linux*.tar.xz | awk '{ print " " $1, 1, $2 }' >>linux.dsc
	}
	package '# comment\n\nother.patch\nx/fix.patch -p1\n'
	says fixed "vcpu_sbi.c:143" linux.dsc
	says fixed "vcpu_sbi.c:143" "$PWD/linux.dsc"
	cd ..
	says fixed "vcpu_sbi.c:143" package/linux.dsc
	cd package
	package '# x/fix.patch\n'
	says vulnerable "$vulnerable" linux.dsc
	package 'x/fix.patch\nx/fix.patch\n'
	says unknown 'patch x/fix.patch does not apply' linux.dsc
	package 'x/none.patch\n'
	says unknown 'patch x/none.patch is missing' linux.dsc
	sed 's, linux.orig, ../package/linux.orig,' linux.dsc >other.dsc
	says unknown 'names no .orig.tar' other.dsc
	echo >>linux-1.debian.tar.xz
	says unknown 'other checksums' linux.dsc
	sed -i 's/^Format: .*/Format: 1.0/' linux.dsc
	says unknown '3.0 \(quilt\)' linux.dsc
}

@test "--json: an object a line, whatever the name of the tree" {
	tree=$BATS_TEST_TMPDIR/$'a "tree" \\ \xff\n'
	small_tree $vulnerable "$tree"
	cp -r "$tree" "$KDIR"
	in_git "$KDIR"
	run --separate-stderr bin/triage --json "$tree" "$BATS_TEST_TMPDIR/nowhere"
	[[ $status -eq 1 && ${#lines[@]} -eq 2 ]]
	REV=HEAD bin/triage --json "$KDIR" >"$BATS_TEST_TMPDIR/line" || [ $? = 1 ]
	perl -MJSON::PP -e '
		my ($first, $second, $third) = map { decode_json($_) } <STDIN>;
		my $is = sub { my ($of, $what) = @_; my $found = join " ", map { $of->{$_} // "null" } qw(verdict revision version place writes commit); $found eq $what or die $found };
		$first->{tree} =~ m{/a "tree" \\ \x{fffd}\n$} or die $first->{tree};
		$is->($first, "vulnerable null $ARGV[0] arch/riscv/kvm/vcpu_sbi.c:143 1 null");
		$is->($second, "unknown null null null null null");
		$is->($third, "vulnerable HEAD $ARGV[0] arch/riscv/kvm/vcpu_sbi.c:143 1 $ARGV[1]");
		$first->{seconds} =~ /^[0-9.]+$/ or die;
		$first->{why} =~ /is written under/ or die;
	' $vulnerable "$(git -C "$KDIR" rev-parse HEAD)" < <(echo "$output" && cat "$BATS_TEST_TMPDIR/line")
	grep '"writes": 1, "seconds": [0-9.]*, "why"' "$BATS_TEST_TMPDIR/line"
	# Exit status, and what an unknown one has: its place, but no writes judged.
	KDIR=$BATS_TEST_TMPDIR/unknown
	tree $fixed '/kvm_make_all_cpus_request/d'
	run --separate-stderr bin/triage --json "$KDIR"
	[[ $status -eq 3 && $output == *'"place": "arch/riscv/kvm/vcpu_sbi.c:'*'", "writes": null, '* ]]
}

@test "two writes: how many, and where" {
	reset "	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		if (tmp == vcpu)
			continue;
		guard(spinlock)(&tmp->arch.mp_state_lock);
		$write
	}
	spin_lock(&vcpu->arch.mp_state_lock);
	${write//tmp/vcpu}
	spin_unlock(&vcpu->arch.mp_state_lock);"
	says fixed "; 2 writes judged: vcpu_sbi.c:145 vcpu_sbi.c:148"$'\t' "$KDIR"
	bin/triage --json "$KDIR" | grep '"writes": 2, '
}

@test "KDIR with a space or a newline in its name" {
	KDIR="$BATS_TEST_TMPDIR/a tree"
	tree $vulnerable
	run --separate-stderr make -s triage KDIR="$KDIR"
	[[ ${#lines[@]} -eq 1 && $output == vulnerable* ]]
	mv "$KDIR" "$BATS_TEST_TMPDIR/a"$'\n'tree
	KDIR=$BATS_TEST_TMPDIR/a$'\n'tree run --separate-stderr bin/triage
	[[ ${#lines[@]} -eq 1 && $output == vulnerable*'\ntree'* ]]
}

@test "revisions: of a work tree, a bare repository, a shallow clone and a worktree; the work tree is left alone" {
	tree $vulnerable
	in_git "$KDIR"
	git -C "$KDIR" tag v1
	sed -i 's/&vcpu->arch.mp_state_lock/\&tmp->arch.mp_state_lock/' "$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	git -C "$KDIR" -c user.name=Tester -c user.email=tester@example.org commit -qam fix
	git -C "$KDIR" tag v2
	echo broken >"$KDIR/arch/riscv/kvm/vcpu_sbi.c"
	before=$(snapshot "$KDIR")
	REV=v1 says vulnerable $'\tv1\t' "$KDIR"
	REV=v2 says fixed $'\tv2\t' "$KDIR"
	REV=v3 says unknown "no revision 'v3'" "$KDIR"
	REV='w*' says unknown "no revision" "$KDIR"
	REV='v*' run --separate-stderr bin/triage "$KDIR"
	[ "$(cut -f 1,3 <<<"$output")" = $'vulnerable\tv1\nfixed\tv2' ]
	[ "$(snapshot "$KDIR")" = "$before" ]

	git clone -q --bare "$KDIR" "$BATS_TEST_TMPDIR/bare"
	says unknown 'bare repository' "$BATS_TEST_TMPDIR/bare"
	REV=v1 says vulnerable vcpu_sbi.c: "$BATS_TEST_TMPDIR/bare"
	git clone -q --depth 1 "file://$KDIR" "$BATS_TEST_TMPDIR/shallow"
	says fixed vcpu_sbi.c: "$BATS_TEST_TMPDIR/shallow"
	REV=HEAD says fixed vcpu_sbi.c: "$BATS_TEST_TMPDIR/shallow"
	REV=HEAD~1 says unknown "no revision" "$BATS_TEST_TMPDIR/shallow"
	git -C "$KDIR" worktree add -q "$BATS_TEST_TMPDIR/worktree" v1
	says vulnerable vcpu_sbi.c: "$BATS_TEST_TMPDIR/worktree"
	REV=v2 says fixed vcpu_sbi.c: "$BATS_TEST_TMPDIR/worktree"
}

@test "a tree that another user owns, on a read-only mount" {
	tree $vulnerable
	in_git "$KDIR"
	chown -R 65534 "$KDIR" || skip "needs root"
	mkdir "$BATS_TEST_TMPDIR/ro"
	mount --bind "$KDIR" "$BATS_TEST_TMPDIR/ro" || skip "needs the right to mount"
	mount -o remount,bind,ro "$BATS_TEST_TMPDIR/ro"
	says vulnerable vcpu_sbi.c: "$BATS_TEST_TMPDIR/ro"
	REV=HEAD says vulnerable vcpu_sbi.c: "$BATS_TEST_TMPDIR/ro"
	umount "$BATS_TEST_TMPDIR/ro"
}

@test "fifty trees of which one is broken: it is named, the others are answered" {
	tree $vulnerable
	for ((i = 1; i <= 50; i++)); do ln -s "$KDIR" "$BATS_TEST_TMPDIR/tree-$i"; done
	rm "$BATS_TEST_TMPDIR/tree-33"
	mkdir "$BATS_TEST_TMPDIR/tree-33"
	run --separate-stderr bin/triage "$BATS_TEST_TMPDIR"/tree-*
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 50 ]
	[ "$(grep -c '^vulnerable' <<<"$output")" -eq 49 ]
	[[ $(grep -v '^vulnerable' <<<"$output") == unknown$'\t'*/tree-33$'\t'*"not the top of a kernel source tree"* ]]
	# They are all the same, so one of them was judged.
	[ "$(cut -f 6 <<<"$output" | grep -cvx 0.0)" -eq 1 ]
}

@test "no tree, and one that is not there" {
	run bin/triage
	[ "$status" -eq 2 ]
	one_line
	says unknown 'no such directory' "$BATS_TEST_TMPDIR/nowhere"
}

@test "a kernel that has the series: its helper is a write" {
	tree=$BATS_TEST_TMPDIR/tree
	small_tree $vulnerable "$tree"
	engine/apply-patch "$tree"
	run bin/triage "$tree"
	echo "$output"
	[[ $status -eq 0 && $output == fixed* ]]
	(cd "$tree" && git apply "$top/tests/mutants/wrong/lock-of-caller.diff")
	run bin/triage "$tree"
	echo "$output"
	[[ $status -eq 1 && $output == *"under the mp_state_lock of 'vcpu'; 1 write judged: vcpu_sbi.c:"* ]]
}
