#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# <kunit/guarded.h> by itself: its own tests, and another user than KVM.

load lib/setup

# The kernel that bin/mutants builds has the facility, and its tests as a module.
setup_file() {
	load lib/setup
	make -s mutants KERNELS=$vulnerable CPUS=1 MUTANTS=guard 2> >(sed 's/^/# /' >&3)
}

setup() { tree=$build/trees/$vulnerable out=$build/out/userspace-$vulnerable results=$BATS_TEST_TMPDIR/results; }

# own_tests [CPUS]: run them. This kernel cannot suppress the warning of a case on deadlocks,
# so that what counts is what the suite says.
own_tests() {
	SUITE=kunit_guarded QEMU_ARGS="-smp ${1:-4}" \
		run engine/run-suite "$tree" "$out" "$results" "$out/lib/kunit/guarded-test.ko"
	echo "$output"
	[ "$status" != 3 ] || tail -n 40 "$results/kernel.log"
}

# changed FILE SED-SCRIPT: build with this change, which must be one
changed() {
	cp "$tree/$1" "$BATS_TEST_TMPDIR/original"
	sed "$2" "$BATS_TEST_TMPDIR/original" >"$BATS_TEST_TMPDIR/new"
	! cmp -s "$BATS_TEST_TMPDIR/original" "$BATS_TEST_TMPDIR/new"
	cp --remove-destination "$BATS_TEST_TMPDIR/new" "$tree/$1"
	rebuild
}

rebuild() { make -s -C "$tree" ARCH=riscv CROSS_COMPILE=riscv64-linux-gnu- O="$out" KCFLAGS=-ftrack-macro-expansion=0 -j3 Image >"$BATS_TEST_TMPDIR/log" 2>&1; }

restored() { cp --remove-destination "$BATS_TEST_TMPDIR/original" "$tree/$1"; }

@test "its own tests pass on one CPU and on four" {
	for cpus in 1 4; do
		own_tests $cpus
		grep -qE '^ok [0-9]+ kunit_guarded$' "$results/suite.ktap"
		[ $cpus = 1 ] || [[ $output == *"0 failed, 0 skipped"* ]]
	done
}

# Each is a build and a boot: three ways to break it, and with `make check-all` the rest.
@test "its own tests fail when it is broken" {
	tried=0
	while IFS='|' read -r case script; do
		[ -n "${ALL:-}" ] || ((++tried <= 3)) || break
		echo "# $case: $script" >&3
		changed lib/kunit/guarded.c "$script"
		own_tests
		restored lib/kunit/guarded.c
		grep -qE "^    not ok [0-9]+ $case\$" "$results/suite.ktap"
	done <<-'END'
		on_event|s/if (g->on_event)/if (0)/
		trylock|s/g->tried |= trylock;//
		guarded_write|s/g->held <= 0 || g->reading/w->nr_guards == 0/
		guarded_write|s/hash_for_each_possible(w->by_lock, g, .*) {/list_for_each_entry(g, \&w->guards, list) {/;s/if (g->lock != lock)/if (0)/
		guarded_write|s/if (g->poison && /if (0 \&\& /
		guarded_write|s/g->alone && w->nr_alone++/0/
		guarded_write|s/if (g->held && !trylock/if (0/
		guarded_write|s/if (!g->held)$/if (1)/
		guarded_write|s/if (w->nr_guards > NR_EXACT)/if (0)/
		guarded_write|s/g->held <= 0 || g->reading/g->held <= 0/
		trylock|s/queue_work_on(.*/w->holding = true;/
	END
}

# net: a kernel with networking, its own tests and the second user's
net() {
	export KUNITCONFIG=$top/examples/dev-addr-lists.config
	tree=$build/trees/guarded-$fixed out=$build/out/guarded-$fixed
	source=$(engine/fetch-kernel $fixed)
	engine/copy-tree --link "$source" "$tree"
	cp --remove-destination "$source"/net/core/dev_addr_lists{,_test}.c "$tree/net/core/"
	engine/apply-patch "$tree"
	(cd "$tree" && git apply "$top/examples/dev-addr-lists.patch")
	engine/build-kernel "$tree" "$out" 2> >(sed 's/^/# /' >&3)
}

# runs SUITE: its verdict
runs() {
	SUITE=$1 run engine/run-suite "$tree" "$out" "$results"
	echo "$output"
}

# bats test_tags=slow
@test "built in, on the newest kernel: its own tests, and a second user that notices a lock left out" {
	net
	for suite in kunit_guarded dev-addr-list-test; do
		runs $suite
		[ "$status" -eq 0 ]
	done
	changed net/core/dev_addr_lists.c '/^int dev_uc_add(/,/^}/{ /netif_addr_\(un\)\?lock_bh/d }'
	runs dev-addr-list-test
	restored net/core/dev_addr_lists.c
	[ "$status" -eq 1 ]
	grep -F 'dev_uc_add(): netdev->uc.count of the device written without netdev->addr_list_lock of the device' \
		"$results/kernel.log"
}
