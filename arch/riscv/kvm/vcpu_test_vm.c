// SPDX-License-Identifier: GPL-2.0
/* A VM for KUnit suites: see vcpu_test_vm.h. */

#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/kvm_vcpu_sbi.h>

#include "vcpu_test_vm.h"

#define FILL	0xa5a5a5a5U	/* KVM never writes this, so any write shows */

KUNIT_DEFINE_ACTION_WRAPPER(free_array, kvfree, const void *);

static void *alloc_array(struct kunit *test, size_t n, size_t size)
{
	void *array = kvcalloc(n, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, array);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_array, array));
	return array;
}

static void destroy_vcpus(void *kvm)
{
	struct xarray *vcpus = &((struct kvm *)kvm)->vcpu_array;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	xa_for_each(vcpus, i, vcpu)
		kvm_arch_vcpu_destroy(vcpu);
	xa_destroy(vcpus);
}

/*
 * Create a VM of up to KVM_MAX_VCPUS vCPUs, and point test->priv at it. It is destroyed when
 * @test ends. Without the hypervisor extension, @test is skipped.
 */
struct test_vm *kvm_test_create_vm(struct kunit *test, unsigned int nr_vcpus,
				   const struct test_writer *writers)
{
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	struct kvm_vcpu *vcpu;
	void *runs;
	unsigned int i;

	if (!__riscv_isa_extension_available(NULL, 'h' - 'a'))
		kunit_skip(test, "needs the hypervisor extension");
	KUNIT_ASSERT_NOT_NULL(test, vm);
	mutex_init(&vm->kvm.lock);
	xa_init(&vm->kvm.vcpu_array);
	vm->nr_vcpus = nr_vcpus;
	vm->writers = writers;
	vm->writer = writers;
	vcpu = alloc_array(test, nr_vcpus, sizeof(*vcpu));
	runs = alloc_array(test, nr_vcpus, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, destroy_vcpus, &vm->kvm));
	kunit_guarded_by(test, &vm->kvm.created_vcpus, &vm->kvm.lock, "the VM");
	/* Like kvm_vm_ioctl_create_vcpu() */
	for (i = 0; i < nr_vcpus; i++, vcpu++) {
		vcpu->kvm = &vm->kvm;
		vcpu->vcpu_id = nr_vcpus - 1 - i;
		vcpu->vcpu_idx = i;
		vcpu->cpu = -1;
		vcpu->run = runs + i * PAGE_SIZE;
		rcuwait_init(&vcpu->wait);
		KUNIT_ASSERT_EQ(test, 0, kvm_arch_vcpu_create(vcpu));
		KUNIT_ASSERT_EQ(test, 0, xa_insert(&vm->kvm.vcpu_array, i, vcpu, GFP_KERNEL));
		vm->vcpus[i] = vcpu;
		vm->mp_states[i] = kunit_guarded_by(test, &vcpu->arch.mp_state.mp_state,
						    &vcpu->arch.mp_state_lock, "vCPU %u", i);
		vm->mp_states[i]->alone = true;
	}
	atomic_set(&vm->kvm.online_vcpus, nr_vcpus);
	test->priv = vm;
	/* Shows which case hung. */
	kunit_info(test, "begins\n");
	return vm;
}

/* Make the SBI call @call as @vcpu. */
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

static bool is_target(struct test_vm *vm, unsigned int i)
{
	if (vm->writer->targets == NOBODY || (vm->writer->targets == CALLER_UNLESS_FIRST && !i))
		return false;
	return vm->writer->targets == ALL || i == vm->target;
}

static u32 other_state(u32 state)
{
	return state == KVM_MP_STATE_STOPPED ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_STOPPED;
}

/* Act as the previous holder of the lock, or check the order of state and request. */
static void on_event(struct kunit_guarded *mp_state, bool acquires)
{
	struct kvm_vcpu *vcpu = container_of(mp_state->field, struct kvm_vcpu,
					     arch.mp_state.mp_state);
	struct test_vm *vm = container_of(vcpu->kvm, struct test_vm, kvm);
	u32 *state = mp_state->field, to = vm->writer->to;
	bool written = *state != vm->from;
	bool target = is_target(vm, vcpu->vcpu_idx);
	bool sleeps = to == KVM_MP_STATE_STOPPED && kvm_test_request(KVM_REQ_SLEEP, vcpu);
	bool starts = vm->writer->targets == OTHER && !kvm_test_request(KVM_REQ_VCPU_RESET, vcpu);

	if (vm->mode == MEANWHILE && acquires && !mp_state->taken) {
		*state = other_state(vm->from);
		vm->found = target ? *state : vm->found;
	}
	/*
	 * KVM_REQ_SLEEP makes a vCPU read its mp_state, so the request must follow the write
	 * ("VCPU Requests with Associated State" in vcpu-requests.rst). A vCPU may run once
	 * it is RUNNABLE, so hart_start must request its reset before the write.
	 */
	if (vm->mode == PLAIN && target && vm->from != to && (written ? starts : sleeps))
		vm->disordered = vcpu;
}

/* Call vm->writer as vm->caller, with all vCPUs in state vm->from. */
void kvm_test_write(struct kunit *test)
{
	static const u32 poison = FILL;
	struct test_vm *vm = test->priv;
	const struct test_writer *w = vm->writer;
	struct kvm_vcpu *caller = vm->vcpus[vm->caller];
	unsigned int i;

	vm->found = vm->from;
	vm->disordered = NULL;
	for (i = 0; i < vm->nr_vcpus; i++) {
		struct kvm_vcpu *vcpu = vm->vcpus[i];

		vcpu->arch.mp_state.mp_state = vm->from;
		vcpu->requests = 0;
		/* The caller and the next vCPU are outside the guest. */
		vcpu->mode = i == vm->caller || i == (vm->caller + 1) % vm->nr_vcpus ?
			     OUTSIDE_GUEST_MODE : IN_GUEST_MODE;
		memset32((u32 *)vcpu->run, FILL, PAGE_SIZE / sizeof(u32));
		vm->mp_states[i]->poison = vm->mode == POISONED ? &poison : NULL;
		vm->mp_states[i]->on_event = on_event;
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

/* Does vm->writer apply to this caller, target and initial state? */
static bool makes_sense(struct test_vm *vm)
{
	switch (vm->writer->targets) {
	case OTHER:
		return vm->target != vm->caller;
	case NOBODY:
		return vm->target == vm->caller && vm->mode != MEANWHILE;
	case CALLER_UNLESS_FIRST:
		/* A newly created vCPU is RUNNABLE. */
		return vm->target == vm->caller && vm->from != KVM_MP_STATE_STOPPED;
	default:
		return vm->target == vm->caller;
	}
}

/*
 * Call the next combination of writer, initial mp_state, caller and target.
 * Return: false if there are no more.
 */
bool kvm_test_next_write(struct kunit *test, enum test_mode mode)
{
	static const u32 states[] = { KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED, FILL };
	struct test_vm *vm = test->priv;
	unsigned int nr_states = mode == POISONED ? 3 : 2, nr;

	if (mode != PLAIN)
		kunit_guarded_require(test);
	vm->mode = mode;
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
	} while (!makes_sense(vm));
	kvm_test_write(test);
	return true;
}

/* Expect each target in the state that the writer sets, and all others unchanged. */
void kvm_test_expect_states(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (is_target(vm, i) || vm->mode != MEANWHILE)
			KUNIT_EXPECT_EQ_MSG(test, mp_state(vm, i),
					    is_target(vm, i) ? vm->writer->to : vm->from,
					    "%s by vCPU %u: vCPU %u",
					    vm->writer->name, vm->caller, i);
}

/*
 * Expect each vCPU that the writer stops to be requested to sleep after the write, and
 * kicked out of the guest ("IPI Reduction" in vcpu-requests.rst).
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
	KUNIT_EXPECT_NULL_MSG(test, vm->disordered,
			      "%s by vCPU %u: mp_state and request in the wrong order",
			      vm->writer->name, vm->caller);
}

/*
 * Expect the writer's event in the caller's kvm_run, and no exit in any other. See
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
	/* Only userspace writes this. */
	KUNIT_EXPECT_EQ(test, run->request_interrupt_window, FILL & 0xff);
	if (!w->event)
		return;
	KUNIT_EXPECT_EQ(test, run->system_event.type, w->event);
	KUNIT_EXPECT_EQ(test, run->system_event.ndata, 1);
	KUNIT_EXPECT_EQ(test, run->system_event.data[0], w->reason);
}
