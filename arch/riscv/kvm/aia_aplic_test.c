// SPDX-License-Identifier: GPL-2.0
/* A case of the suite riscv_kvm_vcpu_locks, included by aia_aplic.c. */

#include "vcpu_locks_test.h"

#define NR_SOURCES	3
#define SOURCE		2

/* The guest disables the source. */
static void disable_source(struct kunit_guarded *sourcecfg, bool acquires)
{
	if (acquires && !sourcecfg->taken)
		*(u32 *)sourcecfg->field = APLIC_SOURCECFG_SM_INACTIVE;
}

/* The guest enables the domain's interrupts. */
static void enable_domain(struct kunit_guarded *domaincfg, bool acquires)
{
	if (acquires && !domaincfg->taken)
		*(u32 *)domaincfg->field = APLIC_DOMAINCFG_IE;
}

void kvm_test_aplic(struct kunit *test)
{
	static const struct {
		u32 offset, value;
	} writes[] = {
		{ APLIC_SOURCECFG_BASE + (SOURCE - 1) * 4, APLIC_SOURCECFG_SM_EDGE_RISE },
		{ APLIC_TARGET_BASE + (SOURCE - 1) * 4, 1 },
		{ APLIC_SETIP_BASE, BIT(SOURCE) },
		{ APLIC_CLRIP_BASE, BIT(SOURCE) },
		{ APLIC_SETIPNUM, SOURCE },
		{ APLIC_CLRIPNUM, SOURCE },
		{ APLIC_SETIE_BASE, BIT(SOURCE) },
		{ APLIC_CLRIE_BASE, BIT(SOURCE) },
		{ APLIC_SETIENUM, SOURCE },
		{ APLIC_CLRIENUM, SOURCE },
		{ APLIC_SETIPNUM_BE, (u32)SOURCE << 24 },
		{ APLIC_CLRIPNUM, SOURCE },
		{ APLIC_SETIPNUM_LE, SOURCE },
		{ APLIC_SETIENUM, SOURCE },
		/* It is pending and enabled, so this delivers it. */
		{ APLIC_DOMAINCFG, APLIC_DOMAINCFG_IE },
	};
	struct kvm *kvm = &((struct test_vm *)test->priv)->kvm;
	struct kunit_guarded *sourcecfg, *state, *domaincfg;
	struct aplic_irq *irq;
	struct aplic *aplic;
	unsigned int i;

	aplic = kunit_kzalloc(test, struct_size(aplic, irqs, NR_SOURCES + 1), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, aplic);
	aplic->nr_irqs = NR_SOURCES + 1;
	aplic->nr_words = 1;
	for (i = 0; i < aplic->nr_irqs; i++)
		raw_spin_lock_init(&aplic->irqs[i].lock);
	kvm->arch.aia.aplic_state = aplic;
	irq = &aplic->irqs[SOURCE];
	sourcecfg = kunit_guarded_by(test, &irq->sourcecfg, &irq->lock, "the source");
	kunit_guarded_by(test, &irq->target, &irq->lock, "the source");
	state = kunit_guarded_by(test, &irq->state, &irq->lock, "the source");
	for (i = 0; i < ARRAY_SIZE(writes); i++)
		kvm_test_locked(test, state, kvm_riscv_aia_aplic_set_attr(kvm, writes[i].offset,
									  writes[i].value));
	KUNIT_EXPECT_EQ(test, irq->state, APLIC_IRQ_STATE_ENABLED);
	kvm_test_locked(test, state, kvm_riscv_aia_aplic_inject(kvm, SOURCE, true));
	kvm_test_locked(test, state, kvm_riscv_aia_aplic_inject(kvm, SOURCE, false));
	KUNIT_EXPECT_EQ(test, irq->state, APLIC_IRQ_STATE_ENABLED);

	/* AIA 4.5.2: an inactive source does not become pending. */
	aplic->domaincfg = 0;
	sourcecfg->on_event = disable_source;
	kvm_test_locked(test, state, kvm_riscv_aia_aplic_inject(kvm, SOURCE, true));
	irq->sourcecfg = APLIC_SOURCECFG_SM_EDGE_RISE;
	kvm_test_locked(test, state, kvm_riscv_aia_aplic_set_attr(kvm, APLIC_SETIPNUM, SOURCE));
	KUNIT_EXPECT_EQ(test, irq->state & APLIC_IRQ_STATE_PENDING, 0);

	/* The guest has set IE, and KVM found nothing pending, right before the lock is taken. */
	sourcecfg->on_event = NULL;
	irq->sourcecfg = APLIC_SOURCECFG_SM_EDGE_RISE;
	irq->state = APLIC_IRQ_STATE_ENABLED;
	domaincfg = kunit_guarded_by(test, &aplic->domaincfg, &irq->lock, "the domain");
	domaincfg->on_event = enable_domain;
	kvm_test_locked(test, state, kvm_riscv_aia_aplic_inject(kvm, SOURCE, true));
	KUNIT_EXPECT_EQ(test, irq->state & APLIC_IRQ_STATE_PENDING, 0);
}
