// SPDX-License-Identifier: GPL-2.0
/* A case of the suite riscv_kvm_vcpu_locks, included by aia.c. */

#include "vcpu_locks_test.h"

#define NR_LINES	2

struct saved_hgei {
	struct aia_hgei_control *hgctrl, was;
};

static void restore_hgei(void *data)
{
	struct saved_hgei *saved = data;

	*saved->hgctrl = saved->was;
}

static void disable_aia(void *unused)
{
	static_branch_disable(&kvm_riscv_aia_available);
}

/* Another vCPU takes the first line. */
static void take_hgei(struct kunit_guarded *bitmap, bool acquires)
{
	if (acquires && !bitmap->taken)
		*(unsigned long *)bitmap->field &= ~BIT(1);
}

/* KVM tracks free lines in memory, so this needs no AIA. */
void kvm_test_hgei(struct kunit *test)
{
	struct kvm_vcpu *vcpu = ((struct test_vm *)test->priv)->vcpus[1];
	struct saved_hgei *saved = kunit_kzalloc(test, sizeof(*saved), GFP_KERNEL);
	int cpu = raw_smp_processor_id(), line;
	struct aia_hgei_control *hgctrl = per_cpu_ptr(&aia_hgei, cpu);
	struct kunit_guarded *bitmap;

	KUNIT_ASSERT_NOT_NULL(test, saved);
	saved->hgctrl = hgctrl;
	saved->was = *hgctrl;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, restore_hgei, saved));
	if (!kvm_riscv_aia_available()) {
		raw_spin_lock_init(&hgctrl->lock);
		static_branch_enable(&kvm_riscv_aia_available);
		KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, disable_aia, NULL));
	}
	hgctrl->nr_hgei = NR_LINES;
	hgctrl->free_bitmap = GENMASK(NR_LINES, 1);
	bitmap = kunit_guarded_by(test, &hgctrl->free_bitmap, &hgctrl->lock, "CPU %d", cpu);
	kunit_guarded_by(test, &hgctrl->owners, &hgctrl->lock, "CPU %d", cpu);
	kvm_test_locked(test, bitmap, line = kvm_riscv_aia_alloc_hgei(cpu, vcpu, NULL, NULL));
	KUNIT_EXPECT_EQ(test, line, 1);
	KUNIT_EXPECT_PTR_EQ(test, hgctrl->owners[1], vcpu);
	kvm_test_locked(test, bitmap, kvm_riscv_aia_free_hgei(cpu, line));
	KUNIT_EXPECT_EQ(test, hgctrl->free_bitmap, GENMASK(NR_LINES, 1));

	bitmap->on_event = take_hgei;
	kvm_test_locked(test, bitmap, line = kvm_riscv_aia_alloc_hgei(cpu, vcpu, NULL, NULL));
	KUNIT_EXPECT_EQ(test, line, 2);
}
