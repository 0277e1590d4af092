// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite for the locks of KVM on RISC-V, other than mp_state_lock.
 *
 * Documentation/virt/kvm/riscv/locks-kunit.rst says what each lock guards. Each case calls
 * the functions that write the guarded fields, and expects the lock to be held at each
 * write. To check decisions, on_event acts as the previous holder of the lock.
 */

#include <linux/kvm_host.h>
#include <linux/mman.h>
#include <asm/kvm_nacl.h>
#include <asm/kvm_vcpu_sbi.h>
#include <asm/sbi.h>

#include "vcpu_locks_test.h"

static int locks_test_init(struct kunit *test)
{
	/* The cases change HGATP, the VMID allocator and HGEI lines of the host. */
	if (!list_empty(&vm_list))
		kunit_skip(test, "needs a host without VMs");
	kvm_test_create_vm(test, NR_VCPUS, NULL);
	kunit_guarded_require(test);
	return 0;
}

#define OLD	0x80200000UL
#define NEW	0x80400000UL

static void request_new(struct kunit_guarded *g, bool acquires)
{
	if (acquires)
		*(unsigned long *)g->field = NEW;
}

static void reset_state_needs_lock(struct kunit *test)
{
	struct kvm_vcpu *vcpu = ((struct test_vm *)test->priv)->vcpus[1];
	struct kvm_vcpu_reset_state *state = &vcpu->arch.reset_state;
	struct kunit_guarded *pc, *a1;

	pc = kunit_guarded_by(test, &state->pc, &state->lock, "the vCPU");
	a1 = kunit_guarded_by(test, &state->a1, &state->lock, "the vCPU");
	kvm_test_locked(test, pc, kvm_riscv_vcpu_sbi_request_reset(vcpu, OLD, OLD));

	/* pc and a1 must come from the same hart_start. */
	pc->on_event = request_new;
	a1->on_event = request_new;
	kvm_test_locked(test, pc, kvm_riscv_vcpu_sbi_load_reset_state(vcpu));
	KUNIT_EXPECT_EQ(test, vcpu->arch.guest_context.sepc, NEW);
	KUNIT_EXPECT_EQ(test, vcpu->arch.guest_context.a1, NEW);
}

/* kvm_riscv_reset_vcpu(), which handles KVM_REQ_VCPU_RESET, is static. */
static void reset(struct kvm_vcpu *vcpu)
{
	kvm_arch_vcpu_destroy(vcpu);
	kvm_arch_vcpu_create(vcpu);
}

/* Other threads fill the queue. */
static void fill_queue(struct kunit_guarded *queue, bool acquires)
{
	struct kvm_riscv_hfence *hfence = queue->field;
	unsigned int i;

	for (i = 0; acquires && !queue->taken && i < KVM_RISCV_VCPU_MAX_HFENCE; i++)
		hfence[i].type = KVM_RISCV_HFENCE_GVMA_VMID_GPA;
}

static void hfence_queue_needs_lock(struct kunit *test)
{
	static const struct test_writer rfence = {
		.ext = SBI_EXT_RFENCE, .fid = SBI_EXT_RFENCE_REMOTE_SFENCE_VMA, .a1 = -1UL,
	};
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vm->vcpus[1];
	struct kunit_guarded *queue;

	/* Fence a range: some kernels do not queue a fence of everything. */
	vm->vcpus[0]->arch.guest_context.a3 = PAGE_SIZE;
	kunit_guarded_by(test, &vcpu->arch.hfence_head, &vcpu->arch.hfence_lock, "the vCPU");
	kunit_guarded_by(test, &vcpu->arch.hfence_tail, &vcpu->arch.hfence_lock, "the vCPU");
	queue = kunit_guarded_by(test, &vcpu->arch.hfence_queue, &vcpu->arch.hfence_lock,
				 "the vCPU");
	kvm_test_locked(test, queue, kvm_test_ecall(vm->vcpus[0], &rfence, 0));
	kvm_test_locked(test, queue, kvm_riscv_hfence_process(vcpu));
	kvm_test_locked(test, queue, kvm_test_ecall(vm->vcpus[0], &rfence, 0));
	KUNIT_EXPECT_NE(test, vcpu->arch.hfence_head, vcpu->arch.hfence_tail);
	kvm_test_locked(test, queue, reset(vcpu));
	KUNIT_EXPECT_EQ(test, vcpu->arch.hfence_head, vcpu->arch.hfence_tail);

	queue->on_event = fill_queue;
	kvm_test_locked(test, queue, kvm_test_ecall(vm->vcpus[0], &rfence, 0));
	KUNIT_EXPECT_TRUE(test, kvm_test_request(KVM_REQ_HFENCE_VVMA_ALL, vcpu));
	KUNIT_EXPECT_EQ(test, vcpu->arch.hfence_queue[0].type, KVM_RISCV_HFENCE_GVMA_VMID_GPA);
}

#define SOFT	BIT(IRQ_VS_SOFT)

/* KVM_SET_ONE_REG of sip */
static int set_sip(struct kvm_vcpu *vcpu, unsigned long user)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_RISCV | KVM_REG_RISCV_CSR | KVM_REG_RISCV_CSR_REG(sip) |
		      (IS_ENABLED(CONFIG_64BIT) ? KVM_REG_SIZE_U64 : KVM_REG_SIZE_U32),
		.addr = user,
	};

	return kvm_riscv_vcpu_set_reg(vcpu, &reg);
}

/* Another vCPU sends an IPI. */
static void inject_soft(struct kunit_guarded *g, bool acquires)
{
	if (acquires && !g->taken)
		*(unsigned long *)g->field |= SOFT;
}

static void irqs_pending_needs_lock(struct kunit *test)
{
	static const struct test_writer ipi = {
		.ext = SBI_EXT_IPI, .fid = SBI_EXT_IPI_SEND_IPI, .a1 = -1UL,
	};
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vm->vcpus[1];
	struct kvm_vcpu_csr *csr = &vcpu->arch.guest_csr;
	struct kunit_guarded *pending, *mask;
	unsigned long user;
	int ret;

	user = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ, MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, user, 0);
	pending = kunit_guarded_by(test, &vcpu->arch.irqs_pending, &vcpu->arch.irqs_pending_lock,
				   "the vCPU");
	mask = kunit_guarded_by(test, &vcpu->arch.irqs_pending_mask,
				&vcpu->arch.irqs_pending_lock, "the vCPU");
	kvm_test_locked(test, mask, kvm_riscv_vcpu_set_interrupt(vcpu, IRQ_VS_EXT));
	kvm_test_locked(test, mask, kvm_riscv_vcpu_flush_interrupts(vcpu));
	kvm_test_locked(test, mask, kvm_riscv_vcpu_unset_interrupt(vcpu, IRQ_VS_EXT));
	kvm_test_locked(test, mask, ret = set_sip(vcpu, user));
	KUNIT_EXPECT_EQ(test, ret, 0);
	kvm_test_locked(test, mask, kvm_test_ecall(vm->vcpus[0], &ipi, 0));
	kvm_test_locked(test, mask, reset(vcpu));

	/* As if the guest had written SSIP: this CPU's HVIP differs. */
	csr->hvip = ~ncsr_read(CSR_HVIP) & SOFT;
	kvm_test_locked(test, mask, kvm_riscv_vcpu_sync_interrupts(vcpu));
	KUNIT_EXPECT_EQ(test, vcpu->arch.irqs_pending_mask[0], SOFT);

	/* kvm_host.h: sync and flush must not drop a newly injected interrupt. */
	pending->on_event = inject_soft;
	mask->on_event = inject_soft;
	vcpu->arch.irqs_pending_mask[0] = 0;
	kvm_test_locked(test, mask, kvm_riscv_vcpu_sync_interrupts(vcpu));
	KUNIT_EXPECT_EQ(test, vcpu->arch.irqs_pending[0], SOFT);
	vcpu->arch.irqs_pending_mask[0] = BIT(IRQ_VS_EXT);
	csr->hvip = 0;
	kvm_test_locked(test, mask, kvm_riscv_vcpu_flush_interrupts(vcpu));
	KUNIT_EXPECT_EQ(test, csr->hvip | vcpu->arch.irqs_pending_mask[0], SOFT);
	vcpu->arch.irqs_pending[0] = 0;
	csr->vsie = SOFT >> VSIP_TO_HVIP_SHIFT;
	kvm_test_locked(test, mask, ret = kvm_riscv_vcpu_has_interrupts(vcpu, -1ULL));
	KUNIT_EXPECT_TRUE(test, ret);
}

static struct kunit_case locks_test_cases[] = {
	KUNIT_CASE(reset_state_needs_lock),
	KUNIT_CASE(hfence_queue_needs_lock),
	KUNIT_CASE(irqs_pending_needs_lock),
	KUNIT_CASE(kvm_test_vmid),
	KUNIT_CASE(kvm_test_hgei),
	KUNIT_CASE(kvm_test_aplic),
	KUNIT_CASE(kvm_test_imsic_vsfile),
	KUNIT_CASE(kvm_test_imsic_vsfile_readers),
	KUNIT_CASE(kvm_test_imsic_extirq),
	{}
};

static struct kunit_suite locks_test_suite = {
	.name = "riscv_kvm_vcpu_locks",
	.init = locks_test_init,
	.test_cases = locks_test_cases,
};

kunit_test_suite(locks_test_suite);
