// SPDX-License-Identifier: GPL-2.0
/* Cases of the suite riscv_kvm_vcpu_locks, included by aia_imsic.c. */

#include "vcpu_locks_test.h"

#define ID	5

/* A vCPU that has an IMSIC, without the rest of kvm_riscv_vcpu_aia_imsic_init(). */
static struct kvm_vcpu *create_imsic(struct kunit *test)
{
	struct kvm_vcpu *vcpu = ((struct test_vm *)test->priv)->vcpus[1];
	struct imsic *imsic = kunit_kzalloc(test, sizeof(*imsic), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, imsic);
	imsic->swfile = kunit_kzalloc(test, sizeof(*imsic->swfile), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, imsic->swfile);
	rwlock_init(&imsic->vsfile_lock);
	raw_spin_lock_init(&imsic->swfile_extirq_lock);
	mutex_init(&vcpu->mutex);
	imsic->nr_msis = 64;
	imsic->nr_eix = 1;
	imsic->nr_hw_eix = 1;
	imsic->vsfile_cpu = -1;
	imsic->vsfile_hgei = -1;
	vcpu->arch.aia_context.imsic_state = imsic;
	return vcpu;
}

/* KVM_SET_DEVICE_ATTR of the vCPU's IMSIC */
static int set_attr(struct kvm_vcpu *vcpu, unsigned long isel, unsigned long val)
{
	unsigned long type = KVM_DEV_RISCV_AIA_IMSIC_MKATTR(vcpu->vcpu_id, isel);
	int ret;

	vcpu->kvm->arch.aia.initialized = true;
	ret = kvm_riscv_aia_imsic_rw_attr(vcpu->kvm, type, true, &val);
	vcpu->kvm->arch.aia.initialized = false;
	return ret;
}

static void set_vsfile(struct imsic *imsic, void *va)
{
	/* Negative, so there is no VS-file to release. Not -1, so that its write shows. */
	imsic->vsfile_cpu = -2;
	imsic->vsfile_hgei = 0;
	imsic->vsfile_va = (void __iomem __force *)va;
	imsic->vsfile_pa = 1;
}

void kvm_test_imsic_vsfile(struct kunit *test)
{
	struct kvm_vcpu *vcpu = create_imsic(test);
	struct imsic *imsic = vcpu->arch.aia_context.imsic_state;
	struct kunit_guarded *cpu;

	kunit_guarded_by(test, &imsic->vsfile_hgei, &imsic->vsfile_lock, "the IMSIC");
	kunit_guarded_by(test, &imsic->vsfile_va, &imsic->vsfile_lock, "the IMSIC");
	kunit_guarded_by(test, &imsic->vsfile_pa, &imsic->vsfile_lock, "the IMSIC");
	cpu = kunit_guarded_by(test, &imsic->vsfile_cpu, &imsic->vsfile_lock, "the IMSIC");
	set_vsfile(imsic, vcpu);
	kvm_test_locked(test, cpu, kvm_riscv_vcpu_aia_imsic_release(vcpu));
	KUNIT_EXPECT_EQ(test, imsic->vsfile_cpu, -1);
	set_vsfile(imsic, vcpu);
	kvm_test_locked(test, cpu, kvm_riscv_vcpu_aia_imsic_reset(vcpu));
	KUNIT_EXPECT_EQ(test, imsic->vsfile_cpu, -1);
	set_vsfile(imsic, vcpu);
	kvm_test_locked(test, cpu, imsic_vsfile_cleanup(imsic));
	KUNIT_EXPECT_EQ(test, imsic->vsfile_cpu, -1);
}

/* The vCPU gets a VS-file. */
static void use_vsfile(struct kunit_guarded *cpu, bool acquires)
{
	if (acquires)
		*(int *)cpu->field = 0;
}

/* Once the vCPU has a VS-file, writes to its SW-file are lost. */
void kvm_test_imsic_vsfile_readers(struct kunit *test)
{
	struct kvm_vcpu *vcpu = create_imsic(test);
	struct imsic *imsic = vcpu->arch.aia_context.imsic_state;
	__le32 *vsfile = kunit_kzalloc(test, IMSIC_MMIO_PAGE_SZ, GFP_KERNEL);
	struct kunit_guarded *cpu;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, vsfile);
	cpu = kunit_guarded_by(test, &imsic->vsfile_cpu, &imsic->vsfile_lock, "the IMSIC");
	cpu->on_event = use_vsfile;
	set_vsfile(imsic, vsfile);
	kunit_guarded_watch(test, "inject")
		kvm_riscv_vcpu_aia_imsic_inject(vcpu, 0, IMSIC_MMIO_SETIPNUM_LE, ID);
	kunit_expect_guarded(test);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(vsfile[IMSIC_MMIO_SETIPNUM_LE / 4]), ID);
	KUNIT_EXPECT_EQ(test, imsic->swfile->eix[0].eip[0], 0);

	set_vsfile(imsic, vsfile);
	kunit_guarded_watch(test, "KVM_SET_DEVICE_ATTR")
		ret = set_attr(vcpu, IMSIC_EIDELIVERY, 1);
	kunit_expect_guarded(test);
	/* This VS-file has no HGEI line. */
	KUNIT_EXPECT_LT(test, ret, 0);
	KUNIT_EXPECT_EQ(test, imsic->swfile->eidelivery, 0);
}

/* Another MSI arrives. */
static void inject_msi(struct kunit_guarded *pending, bool acquires)
{
	struct kvm_vcpu *vcpu = container_of(pending->field, struct kvm_vcpu, arch.irqs_pending);
	struct imsic *imsic = vcpu->arch.aia_context.imsic_state;

	if (acquires && !pending->taken)
		imsic->swfile->eix[0].eip[0] |= BIT(ID);
}

/* Under the lock, reading the SW-file and writing irqs_pending is one step. */
void kvm_test_imsic_extirq(struct kunit *test)
{
	static struct imsic_mrif msi = { .eix[0].eip[0] = BIT(ID), .eidelivery = 1 };
	struct kvm_vcpu *vcpu = create_imsic(test);
	struct imsic *imsic = vcpu->arch.aia_context.imsic_state;
	unsigned long *irqs_pending = vcpu->arch.irqs_pending;
	struct kunit_guarded *pending;
	int ret;

	pending = kunit_guarded_by(test, &vcpu->arch.irqs_pending, &imsic->swfile_extirq_lock,
				   "the IMSIC");
	imsic->swfile->eidelivery = 1;
	imsic->swfile->eix[0].eie[0] = BIT(ID);
	kvm_test_locked(test, pending,
			ret = kvm_riscv_vcpu_aia_imsic_inject(vcpu, 0, IMSIC_MMIO_SETIPNUM_LE, ID));
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, irqs_pending[0], BIT(IRQ_VS_EXT));
	kvm_test_locked(test, pending, kvm_riscv_vcpu_aia_imsic_rmw(vcpu, KVM_RISCV_AIA_IMSIC_TOPEI,
								    NULL, 0, -1UL));
	KUNIT_EXPECT_EQ(test, irqs_pending[0], 0);
	kvm_test_locked(test, pending, imsic_swfile_update(vcpu, &msi));
	KUNIT_EXPECT_EQ(test, irqs_pending[0], BIT(IRQ_VS_EXT));
	kvm_test_locked(test, pending, ret = set_attr(vcpu, IMSIC_EIDELIVERY, 0));
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, irqs_pending[0], 0);

	/* The guest claims the first MSI: the second one must stay pending. */
	imsic->swfile->eidelivery = 1;
	pending->on_event = inject_msi;
	kvm_test_locked(test, pending, kvm_riscv_vcpu_aia_imsic_rmw(vcpu, KVM_RISCV_AIA_IMSIC_TOPEI,
								    NULL, 0, -1UL));
	KUNIT_EXPECT_EQ(test, irqs_pending[0], BIT(IRQ_VS_EXT));
}
