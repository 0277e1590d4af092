// SPDX-License-Identifier: GPL-2.0
/* A VM for KUnit suites: see vcpu_test_vm.h. */

#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/kvm_vcpu_sbi.h>

#include "vcpu_test_vm.h"

#define FILL	0xa5a5a5a5U	/* KVM never writes this, so that whatever it writes shows */

KUNIT_DEFINE_ACTION_WRAPPER(destroy_array, xa_destroy, struct xarray *);
KUNIT_DEFINE_ACTION_WRAPPER(destroy_vcpu, kvm_arch_vcpu_destroy, struct kvm_vcpu *);

/* As kvm_vm_ioctl_create_vcpu() does. */
static void create_vcpu(struct kunit *test, struct test_vm *vm, unsigned int i)
{
	struct kvm_vcpu *vcpu = kunit_kzalloc(test, sizeof(*vcpu), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vcpu);
	vcpu->kvm = &vm->kvm;
	vcpu->vcpu_id = vm->nr_vcpus - 1 - i;
	vcpu->vcpu_idx = i;
	vcpu->cpu = -1;
	vcpu->run = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vcpu->run);
	rcuwait_init(&vcpu->wait);
	KUNIT_ASSERT_EQ(test, 0, kvm_arch_vcpu_create(vcpu));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_vcpu, vcpu));
	KUNIT_ASSERT_EQ(test, 0, xa_insert(&vm->kvm.vcpu_array, i, vcpu, GFP_KERNEL));
	vm->vcpus[i] = vcpu;
	vm->mp_states[i] = kunit_guarded_by(test, &vcpu->arch.mp_state.mp_state,
					    &vcpu->arch.mp_state_lock, "vCPU %u", i);
	vm->mp_states[i]->alone = true;
}

/*
 * Make a VM, also in test->priv, of up to KVM_MAX_VCPUS vCPUs. It is destroyed when @test
 * ends, which is skipped if KVM does not work here.
 */
struct test_vm *kvm_test_create_vm(struct kunit *test, unsigned int nr_vcpus,
				   const struct test_writer *writers)
{
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	unsigned int i;

	if (!__riscv_isa_extension_available(NULL, 'h' - 'a'))
		kunit_skip(test, "needs the hypervisor extension");
	KUNIT_ASSERT_NOT_NULL(test, vm);
	mutex_init(&vm->kvm.lock);
	xa_init(&vm->kvm.vcpu_array);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, destroy_array, &vm->kvm.vcpu_array));
	vm->nr_vcpus = nr_vcpus;
	vm->writers = writers;
	vm->writer = writers;
	kunit_guarded_by(test, &vm->kvm.created_vcpus, &vm->kvm.lock, "the VM");
	for (i = 0; i < nr_vcpus; i++)
		create_vcpu(test, vm, i);
	atomic_set(&vm->kvm.online_vcpus, nr_vcpus);
	test->priv = vm;
	/* Should the case hang, the log ends with its name. */
	kunit_info(test, "begins\n");
	return vm;
}

/* Let @vcpu make the SBI call @call. */
int kvm_test_ecall(struct kvm_vcpu *vcpu, const struct test_writer *call, unsigned long a0)
{
	struct kvm_cpu_context *cp = &vcpu->arch.guest_context;

	cp->sepc = 0;
	cp->a7 = call->ext;
	cp->a6 = call->fid;
	cp->a0 = a0;
	cp->a1 = call->a1;
	cp->a2 = call->a2;
	return kvm_riscv_vcpu_sbi_ecall(vcpu, vcpu->run);
}

/* Let vm->caller use vm->writer, all vCPUs being in vm->from. */
void kvm_test_write(struct kunit *test)
{
	static const u32 poison = FILL;
	struct test_vm *vm = test->priv;
	const struct test_writer *w = vm->writer;
	struct kvm_vcpu *caller = vm->vcpus[vm->caller], *vcpu;
	unsigned int i;

	vm->found = vm->from;
	vm->disordered = NULL;
	for (i = 0; i < vm->nr_vcpus; i++) {
		vcpu = vm->vcpus[i];
		WRITE_ONCE(vcpu->arch.mp_state.mp_state, vm->from);
		WRITE_ONCE(vcpu->requests, 0);
		/* The next one has just left the guest, too. */
		vcpu->mode = i == vm->caller || i == (vm->caller + 1) % vm->nr_vcpus ?
			     OUTSIDE_GUEST_MODE : IN_GUEST_MODE;
		memset32((u32 *)vcpu->run, FILL, PAGE_SIZE / sizeof(u32));
		vm->mp_states[i]->poison = vm->poison ? &poison : NULL;
		vm->mp_states[i]->on_event = vm->on_event;
	}
	kunit_guarded_watch(test, "%s by vCPU %u", w->name, vm->caller) {
		if (w->write)
			w->write(caller);
		else
			vm->ret = kvm_test_ecall(caller, w, w->targets == OTHER ?
						 vm->vcpus[vm->target]->vcpu_id : w->a0);
	}
	vm->answer = caller->arch.guest_context.a0;
}

/*
 * Use the next writer, from the next mp_state, by the next vCPU, on the next target.
 * Return: false if there is no more.
 */
bool kvm_test_next_write(struct kunit *test)
{
	static const u32 states[] = { KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED, FILL };
	struct test_vm *vm = test->priv;
	/* What comes of the last one is not defined, but the locks are. */
	unsigned int nr_states = vm->poison ? 3 : 2, nr;

	do {
		nr = vm->nr++;
		vm->target = nr % NR_VCPUS;
		nr /= NR_VCPUS;
		vm->caller = nr % NR_VCPUS;
		nr /= NR_VCPUS;
		vm->from = states[nr % nr_states];
		vm->writer = vm->writers + nr / nr_states;
		if (!vm->writer->name)
			return false;
	} while ((vm->caller == vm->target) == (vm->writer->targets == OTHER));
	kvm_test_write(test);
	return true;
}

static bool is_target(struct test_vm *vm, unsigned int i)
{
	if (vm->writer->targets == NOBODY || (vm->writer->targets == CALLER_UNLESS_FIRST && !i))
		return false;
	return vm->writer->targets == ALL || i == vm->target;
}

/* For vm->on_event: change the mp_state, as the previous holder of the lock. */
void kvm_test_write_meanwhile(struct kunit_guarded *mp_state, bool acquires)
{
	struct kvm_vcpu *vcpu = container_of(mp_state->field, struct kvm_vcpu,
					     arch.mp_state.mp_state);
	struct test_vm *vm = container_of(vcpu->kvm, struct test_vm, kvm);
	u32 other = vm->from == KVM_MP_STATE_STOPPED ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_STOPPED;

	if (!acquires || mp_state->taken)
		return;
	WRITE_ONCE(vcpu->arch.mp_state.mp_state, other);
	if (is_target(vm, vcpu->vcpu_idx))
		vm->found = other;
}

/*
 * For vm->on_event: are mp_state and requests written in the right order? See "VCPU
 * Requests with Associated State" in vcpu-requests.rst. KVM_REQ_SLEEP makes a vCPU read
 * its mp_state, so it comes after that is written. A vCPU may run once it is RUNNABLE,
 * so that hart_start requests its reset before.
 */
void kvm_test_check_order(struct kunit_guarded *mp_state, bool acquires)
{
	struct kvm_vcpu *vcpu = container_of(mp_state->field, struct kvm_vcpu,
					     arch.mp_state.mp_state);
	struct test_vm *vm = container_of(vcpu->kvm, struct test_vm, kvm);
	bool written = vcpu->arch.mp_state.mp_state != vm->from;

	if (!is_target(vm, vcpu->vcpu_idx) || vm->from == vm->writer->to)
		return;
	if (vm->writer->targets == OTHER ? written && !kvm_test_request(KVM_REQ_VCPU_RESET, vcpu) :
					   !written && kvm_test_request(KVM_REQ_SLEEP, vcpu))
		vm->disordered = vcpu;
}

/* Expect the mp_state of all targets, and of no other vCPU, to be what the writer makes it. */
void kvm_test_expect_states(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (is_target(vm, i) || vm->on_event != kvm_test_write_meanwhile)
			KUNIT_EXPECT_EQ_MSG(test, mp_state(vm, i),
					    is_target(vm, i) ? vm->writer->to : vm->from,
					    "%s by vCPU %u: vCPU %u",
					    vm->writer->name, vm->caller, i);
}

/*
 * Expect each vCPU that is stopped to be asked to sleep, and to leave the guest for that
 * ("IPI Reduction" in vcpu-requests.rst). With kvm_test_check_order(): all that in order.
 */
void kvm_test_expect_requests(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		struct kvm_vcpu *vcpu = vm->vcpus[i];

		if (is_target(vm, i) && vm->from != vm->writer->to &&
		    vm->writer->to == KVM_MP_STATE_STOPPED)
			KUNIT_EXPECT_TRUE_MSG(test, kvm_test_request(KVM_REQ_SLEEP, vcpu) &&
					      vcpu->mode != IN_GUEST_MODE,
					      "%s by vCPU %u: vCPU %u is not told to sleep",
					      vm->writer->name, vm->caller, i);
	}
	KUNIT_EXPECT_NULL_MSG(test, vm->disordered, "%s by vCPU %u", vm->writer->name, vm->caller);
}

/*
 * Expect the writer's event in the kvm_run of the caller, and nothing in any other. See
 * "KVM_EXIT_SYSTEM_EVENT" in Documentation/virt/kvm/api.rst.
 */
void kvm_test_expect_event(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	const struct test_writer *w = vm->writer;
	struct kvm_run *run = vm->vcpus[vm->caller]->run;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		KUNIT_EXPECT_EQ_MSG(test, vm->vcpus[i]->run->exit_reason,
				    w->event && i == vm->caller ? KVM_EXIT_SYSTEM_EVENT : FILL,
				    "%s by vCPU %u: vCPU %u", w->name, vm->caller, i);
	/* Userspace sets this. */
	KUNIT_EXPECT_EQ(test, run->request_interrupt_window, FILL & 0xff);
	KUNIT_EXPECT_EQ(test, run->system_event.type, w->event ?: FILL);
	KUNIT_EXPECT_EQ(test, run->system_event.ndata, w->event ? 1 : FILL);
	if (w->event)
		KUNIT_EXPECT_EQ(test, run->system_event.data[0], w->reason);
}
