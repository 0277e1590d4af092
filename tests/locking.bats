#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=slow, machine
# What locking.rst says of mp_state_lock, against what lockdep has seen.

load lib/setup

@test "mp_state_lock nests as the documentation has it" {
	bin/lock-order $vulnerable >"$BATS_TEST_TMPDIR/order" 2> >(sed 's/^/# /' >&3)
	cat "$BATS_TEST_TMPDIR/order"
	nests() { grep -qP "^$vulnerable\t\Q$1\E\t\Q$2\E\$" "$BATS_TEST_TMPDIR/order"; }
	never() { if nests "$1" "$2"; then return 1; fi; }
	lock='&vcpu->arch.mp_state_lock'
	# hart_start: the reset state of the started vCPU, and never the other way round.
	nests "$lock" '&vcpu->arch.reset_cntx_lock'
	never '&vcpu->arch.reset_cntx_lock' "$lock"
	# No two of them.
	never "$lock" "$lock"
	# KVM_SET_MP_STATE
	nests '&vcpu->mutex' "$lock"
	never "$lock" '&vcpu->mutex'
}
