#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=machine
# <kunit/guarded.h> by itself: its own tests, and another user than KVM.

load lib/setup

setup_file() {
	load lib/setup
	export KUNITCONFIG=$top/examples/dev-addr-lists.config
	tree=$build/trees/guarded-$fixed out=$build/out/guarded-$fixed
	source=$(engine/fetch-kernel $fixed)
	engine/link-tree "$source" "$tree"
	cp --remove-destination "$source"/net/core/dev_addr_lists{,_test}.c "$tree/net/core/"
	engine/apply-series "$tree"
	(cd "$tree" && git apply "$top/examples/dev-addr-lists.patch")
	engine/build-kernel "$tree" "$out" 2> >(sed 's/^/# /' >&3)
}

setup() { tree=$build/trees/guarded-$fixed out=$build/out/guarded-$fixed; }

# runs SUITE [ARGUMENT...]: its verdict, with these arguments for QEMU
runs() {
	SUITE=$1 QEMU_ARGS="${*:2}" run engine/run-suite "$tree" "$out" "$BATS_TEST_TMPDIR/results"
	echo "$output"
}

# changed FILE SED-SCRIPT: build with this change, which must be one
changed() {
	cp "$tree/$1" "$BATS_TEST_TMPDIR/original"
	sed "$2" "$BATS_TEST_TMPDIR/original" >"$BATS_TEST_TMPDIR/new"
	! cmp -s "$BATS_TEST_TMPDIR/original" "$BATS_TEST_TMPDIR/new"
	cp --remove-destination "$BATS_TEST_TMPDIR/new" "$tree/$1"
	engine/build-kernel "$tree" "$out"
}

restored() { cp --remove-destination "$BATS_TEST_TMPDIR/original" "$tree/$1"; }

@test "its own tests pass on one CPU and on four" {
	runs kunit_guarded
	[ "$status" -eq 0 ]
	runs kunit_guarded -smp 4
	[ "$status" -eq 0 ]
	[[ $output == pass$'\t'*"0 failed, 0 skipped"* ]]
}

# Each is a build and a boot: three ways to break it, and with `make check-all` the rest.
@test "its own tests fail when it is broken" {
	tried=0
	while IFS='|' read -r case script; do
		[ -n "${ALL:-}" ] || ((++tried <= 3)) || break
		echo "# $case: $script" >&3
		changed lib/kunit/guarded.c "$script"
		runs kunit_guarded -smp 4
		restored lib/kunit/guarded.c
		[ "$status" -eq 1 ]
		grep -qE "^    not ok [0-9]+ $case\$" "$BATS_TEST_TMPDIR/results/suite.ktap"
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

@test "a second user finds the lock held, and notices when it is left out" {
	engine/build-kernel "$tree" "$out"
	runs dev-addr-list-test
	[ "$status" -eq 0 ]
	changed net/core/dev_addr_lists.c '/^int dev_uc_add(/,/^}/{ /netif_addr_\(un\)\?lock_bh/d }'
	runs dev-addr-list-test
	restored net/core/dev_addr_lists.c
	[ "$status" -eq 1 ]
	grep -F 'dev_uc_add(): netdev->uc.count of the device written without netdev->addr_list_lock of the device' \
		"$BATS_TEST_TMPDIR/results/kernel.log"
}
