// SPDX-License-Identifier: GPL-2.0
/* A VM for KUnit suites: see vcpu_test_vm.h. */

#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "vcpu_test_vm.h"

#define RUN_FILL	0xa5a5a5a5U

static void destroy_vcpus(void *data)
{
	struct test_vm *vm = data;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	xa_for_each(&vm->kvm.vcpu_array, i, vcpu)
		kvm_arch_vcpu_destroy(vcpu);
	xa_destroy(&vm->kvm.vcpu_array);
	if (vm->vcpus)
		kvfree(vm->vcpus[0].run);
	kvfree(vm->vcpus);
}

/* As kvm_vm_ioctl_create_vcpu() does. */
static void create_vcpu(struct kunit *test, struct test_vm *vm, unsigned int i, void *run)
{
	struct kvm_vcpu *vcpu = &vm->vcpus[i];

	vcpu->kvm = &vm->kvm;
	vcpu->vcpu_id = vm->nr_vcpus - 1 - i;
	vcpu->vcpu_idx = i;
	vcpu->cpu = -1;
	vcpu->run = run;
	rcuwait_init(&vcpu->wait);
	KUNIT_ASSERT_EQ(test, 0, kvm_arch_vcpu_create(vcpu));
	KUNIT_ASSERT_EQ(test, 0, xa_insert(&vm->kvm.vcpu_array, i, vcpu, GFP_KERNEL));
	vm->mp_states[i] = kunit_guarded_by(test, &vcpu->arch.mp_state.mp_state,
					    &vcpu->arch.mp_state_lock, "vCPU %u", i);
}

/**
 * kvm_test_create_vm() - Make a VM
 * @test: The test case; skipped if KVM does not work here.
 * @nr_vcpus: Number of vCPUs, up to KVM_MAX_VCPUS.
 *
 * Context: may sleep.
 * Return: The VM, destroyed when @test ends; also in test->priv.
 */
struct test_vm *kvm_test_create_vm(struct kunit *test, unsigned int nr_vcpus)
{
	struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	void *runs;
	unsigned int i;

	if (!__riscv_isa_extension_available(NULL, 'h' - 'a'))
		kunit_skip(test, "needs the hypervisor extension");
	KUNIT_ASSERT_NOT_NULL(test, vm);
	mutex_init(&vm->kvm.lock);
	xa_init(&vm->kvm.vcpu_array);
	vm->nr_vcpus = nr_vcpus;
	vm->mp_states = kunit_kcalloc(test, nr_vcpus, sizeof(*vm->mp_states), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vm->mp_states);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, destroy_vcpus, vm));
	vm->vcpus = kvcalloc(nr_vcpus, sizeof(*vm->vcpus), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vm->vcpus);
	runs = kvcalloc(nr_vcpus, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, runs);
	for (i = 0; i < nr_vcpus; i++)
		create_vcpu(test, vm, i, runs + i * PAGE_SIZE);
	atomic_set(&vm->kvm.online_vcpus, nr_vcpus);
	kunit_guarded_lock(test, &vm->kvm.lock, "the VM");
	test->priv = vm;
	/* Should the case hang, the log ends with its name. */
	kunit_info(test, "begins\n");
	return vm;
}

/* The init of a suite whose cases all have a VM of NR_VCPUS vCPUs. */
int kvm_test_init_vm(struct kunit *test)
{
	kvm_test_create_vm(test, NR_VCPUS);
	return 0;
}

/* Put all vCPUs into @state, with no request. @caller and the next are out of the guest. */
void kvm_test_prepare(struct test_vm *vm, unsigned int caller, u32 state)
{
	unsigned int i;

	vm->before = state;
	vm->slept_early = 0;
	vm->started_early = 0;
	for (i = 0; i < vm->nr_vcpus; i++) {
		struct kvm_vcpu *vcpu = &vm->vcpus[i];
		bool out = i == caller || i == (caller + 1) % vm->nr_vcpus;

		WRITE_ONCE(vcpu->arch.mp_state.mp_state, state);
		WRITE_ONCE(vcpu->requests, 0);
		vcpu->mode = out ? OUTSIDE_GUEST_MODE : IN_GUEST_MODE;
		memset32((u32 *)vcpu->run, RUN_FILL, PAGE_SIZE / sizeof(u32));
	}
}

/* Poison each mp_state whenever its lock is released. */
void kvm_test_poison(struct test_vm *vm)
{
	static const u32 poison = MP_STATE_POISON;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		vm->mp_states[i]->poison = &poison;
}

/* For kunit_guarded_on_event(): write vm->meanwhile, as the previous holder of the lock. */
void kvm_test_write_meanwhile(struct kunit *test, struct kunit_guarded *acquired)
{
	struct test_vm *vm = test->priv;

	if (acquired && acquired->field && !acquired->taken)
		WRITE_ONCE(*(u32 *)acquired->field, vm->meanwhile);
}

/*
 * For kunit_guarded_on_event(), in a VM of NR_VCPUS: see whether state and requests are
 * written in the right order ("VCPU Requests with Associated State" in
 * vcpu-requests.rst). KVM_REQ_SLEEP makes a vCPU read its mp_state, so it comes after
 * that is written. A vCPU may run once it is RUNNABLE, so its reset is requested before.
 */
void kvm_test_check_order(struct kunit *test, struct kunit_guarded *acquired)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		bool written = mp_state(vm, i) != vm->before;

		if (!written && kvm_test_request(KVM_REQ_SLEEP, &vm->vcpus[i]))
			__set_bit(i, &vm->slept_early);
		if (written && !kvm_test_request(KVM_REQ_VCPU_RESET, &vm->vcpus[i]))
			__set_bit(i, &vm->started_early);
	}
}

/* Expect each vCPU to be in @state. */
void kvm_test_expect_states(struct kunit *test, u32 state)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		KUNIT_EXPECT_EQ_MSG(test, mp_state(vm, i), state, "vCPU %u", i);
}

/*
 * Expect an event of @type in the kvm_run of @caller, with @reason; none if @type is 0.
 * See "KVM_EXIT_SYSTEM_EVENT" in Documentation/virt/kvm/api.rst.
 */
void kvm_test_expect_event(struct kunit *test, unsigned int caller, u32 type, u64 reason)
{
	struct test_vm *vm = test->priv;
	struct kvm_run *run = vm->vcpus[caller].run;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (!type || i != caller)
			KUNIT_EXPECT_EQ_MSG(test, vm->vcpus[i].run->exit_reason, RUN_FILL,
					    "vCPU %u", i);
	/* Userspace sets this. */
	KUNIT_EXPECT_EQ(test, run->request_interrupt_window, RUN_FILL & 0xff);
	if (!type)
		return;
	KUNIT_EXPECT_EQ(test, run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	KUNIT_EXPECT_EQ(test, run->system_event.type, type);
	KUNIT_EXPECT_EQ(test, run->system_event.ndata, 1);
	KUNIT_EXPECT_EQ(test, run->system_event.data[0], reason);
}
