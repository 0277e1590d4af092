#!/usr/bin/env bats
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
	run --separate-stderr bin/triage "${@:3}"
	echo "$output $stderr"
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "$1"$'\t'*$2* ]]
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
		"$vulnerable") says vulnerable "vcpu_sbi.c:143: mp_state of 'tmp' is written under the mp_state_lock of 'vcpu'" "$tree" ;;
		6.1.*) says 'not affected' 'vcpu_sbi.c:' "$tree" ;;
		*) says fixed 'vcpu_sbi.c:' "$tree" ;;
		esac
	done
	run --separate-stderr make -s triage KDIR="$tree"
	[ "${#lines[@]}" -eq 1 ]
}

@test "other names of the variables" {
	tree $vulnerable 's/\btmp\b/target/g; s/\bvcpu->arch\.mp_state_lock/caller->arch.mp_state_lock/; s/system_reset(struct kvm_vcpu \*vcpu,/system_reset(struct kvm_vcpu *caller,/'
	says vulnerable "'target' is written under the mp_state_lock of 'caller'" "$KDIR"
	tree $fixed 's/\btmp\b/target/g'
	says fixed "'target'" "$KDIR"
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
}

@test "a guard that ends before the write" {
	reset "	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		{
			guard(spinlock)(&tmp->arch.mp_state_lock);
		}
		$write
	}"
	says vulnerable "under no mp_state_lock" "$KDIR"
}

@test "another iteration" {
	for vcpu in tmp vcpu; do
		verdict=fixed
		[ $vcpu = tmp ] || verdict=vulnerable
		reset "	for (i = 0; i < atomic_read(&vcpu->kvm->online_vcpus); i++) {
		tmp = kvm_get_vcpu(vcpu->kvm, i);
		spin_lock(&$vcpu->arch.mp_state_lock);
		$write
		spin_unlock(&$vcpu->arch.mp_state_lock);
	}"
		says $verdict "vcpu_sbi.c:144: " "$KDIR"
	done
}

@test "the lock is taken once, before the loop moves on to other vCPUs" {
	reset "	tmp = kvm_get_vcpu(vcpu->kvm, 0);
	spin_lock(&tmp->arch.mp_state_lock);
	xa_for_each(&vcpu->kvm->vcpu_array, i, tmp)
		$write
	spin_unlock(&tmp->arch.mp_state_lock);
	{
	}"
	says unknown '' "$KDIR"
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
	says fixed "mp_state of 'v' is written under its own" "$KDIR"

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
	says fixed "vcpu.c:" "$KDIR"
}

@test "the loop in a helper" {
	reset '	stop_all(vcpu);
	{
	}'
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
	says vulnerable "'each' is written under the mp_state_lock of 'self'" "$KDIR"
}

@test "what cannot be told is unknown: a pointer to the lock, a trylock, a macro, a file that ends early" {
	tree $vulnerable 's/spin_lock(&vcpu->arch.mp_state_lock)/spin_lock(lock)/; s/spin_unlock(&vcpu->arch.mp_state_lock)/spin_unlock(lock)/; s/^\tstruct kvm_vcpu \*tmp;/&\n\tspinlock_t *lock = \&vcpu->arch.mp_state_lock;/'
	says unknown vcpu_sbi.c: "$KDIR"
	tree $fixed 's/spin_lock(&tmp->arch.mp_state_lock)/while (!spin_trylock(\&tmp->arch.mp_state_lock))/'
	says unknown vcpu_sbi.c: "$KDIR"
	tree $vulnerable 's/WRITE_ONCE(tmp->arch.mp_state.mp_state, KVM_MP_STATE_STOPPED)/STOP(tmp)/'
	says unknown vcpu_sbi.c: "$KDIR"
	tree $vulnerable '/WRITE_ONCE(tmp/,$d'
	says unknown '' "$KDIR"
}

@test "unknown, too: all locks taken by somebody else, a variable that moves under the lock" {
	for lock_all in lock_all LOCK_ALL; do
		reset "	${lock_all}(vcpu->kvm);
	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		$write
	}"
		[ $lock_all = LOCK_ALL ] || helper 'static void lock_all(struct kvm *kvm)
{
	struct kvm_vcpu *v;
	unsigned long i;

	kvm_for_each_vcpu(i, v, kvm)
		spin_lock(&v->arch.mp_state_lock);
}
'
		says unknown "may have a part in it" "$KDIR"
	done
	for step in 'tmp++;' 'next(&tmp);'; do
		reset "	kvm_for_each_vcpu(i, tmp, vcpu->kvm) {
		spin_lock(&tmp->arch.mp_state_lock);
		$step
		$write
		spin_unlock(&tmp->arch.mp_state_lock);
	}"
		says unknown 'the variable changes' "$KDIR"
	done
}

@test "a lock of another name does not make a tree unaffected" {
	tree $vulnerable
	sed -i 's/mp_state_lock/power_lock/g' "$KDIR"/arch/riscv/kvm/*.c "$KDIR/arch/riscv/include/asm/kvm_host.h"
	says unknown 'there is no mp_state_lock, but spin_' "$KDIR"
}

# mutants KIND PATTERN: a tree of each wrong or right reset whose text matches, as $trees/name
mutants() {
	local patch name
	trees=$BATS_TEST_TMPDIR/trees
	mkdir "$trees"
	KDIR=$BATS_TEST_TMPDIR/plain
	tree $fixed
	engine/apply-patch "$KDIR" assert
	grep -l '^+++ .*/vcpu_sbi[.]c$' tests/mutants/"$1"/*.diff | xargs grep -lE "$2" | while read -r patch; do
		name=$trees/$(basename "$patch" .diff)
		cp -r "$KDIR" "$name"
		(cd "$name" && git apply "$top/$patch")
	done
}

@test "no mutant that writes without the right lock is called fixed" {
	mutants wrong '^Assertion: warns'
	run --separate-stderr bin/triage "$trees"/*
	echo "$output"
	[ "${#lines[@]}" -ge 30 ]
	[[ $output != *fixed$'\t'* && $output == *vulnerable$'\t'* ]]
}

@test "no right mutant is called vulnerable, and nearly all are called fixed" {
	mutants right .
	run --separate-stderr bin/triage "$trees"/*
	echo "$output"
	[ "${#lines[@]}" -ge 20 ]
	[[ $output != *vulnerable$'\t'* ]]
	[ "$(grep -c '^unknown' <<<"$output")" -le 1 ]
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
	engine/apply-series "$tree"
	run bin/triage "$tree"
	echo "$output"
	[[ $status -eq 0 && $output == fixed* ]]
	(cd "$tree" && git apply "$top/tests/mutants/wrong/lock-of-caller.diff")
	run bin/triage "$tree"
	echo "$output"
	[[ $status -eq 1 && $output == *"under the mp_state_lock of 'vcpu'"$'\t'* ]]
}
