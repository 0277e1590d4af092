// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite for kvm_riscv_vcpu_sbi_system_reset().
 *
 * The SBI system reset of one vCPU stops every vCPU of the VM. The rule under test:
 * an mp_state is written only while the mp_state_lock of the same vCPU is held (see
 * "vcpu->arch.mp_state_lock" in Documentation/virt/kvm/locking.rst).
 *
 * The states end up the same whichever lock was held, so the locks are watched while
 * the reset runs, by <kunit/guarded.h>. Each vCPU of the VM in turn resets it.
 */

#include <linux/kvm_host.h>
#include <linux/ktime.h>
#include <asm/kvm_vcpu_sbi.h>

#include "vcpu_test_vm.h"

static const struct event {
	const char *name;
	u32 type;
	u64 reason;
} events[] = {
	{ "shutdown", KVM_SYSTEM_EVENT_SHUTDOWN, 1 },
	{ "reset", KVM_SYSTEM_EVENT_RESET, 0xfedcba9876543210ULL },
};

static void system_reset(struct kunit *test, struct test_vm *vm, unsigned int caller,
			 const struct event *event)
{
	struct kvm_vcpu *vcpu = &vm->vcpus[caller];

	kunit_guarded_watch(test, "%s by vCPU %u", event->name, caller)
		kvm_riscv_vcpu_sbi_system_reset(vcpu, vcpu->run, event->type, event->reason);
}

/* Let each vCPU cause each event, all vCPUs being in @state, and @check after it. */
static void after_each_reset(struct kunit *test, u32 state, void (*check)(struct kunit *test))
{
	unsigned int caller, e;

	for (e = 0; e < ARRAY_SIZE(events); e++) {
		for (caller = 0; caller < NR_VCPUS; caller++) {
			kvm_test_prepare(test->priv, caller, state);
			system_reset(test, test->priv, caller, &events[e]);
			check(test);
		}
	}
}

static void expect_own_lock(struct kunit *test)
{
	kunit_expect_guarded(test);
	kunit_expect_one_guard(test);
}

/* Each mp_state is written under the lock of the vCPU that it belongs to, and no other. */
static void reset_holds_lock_of_target_only(struct kunit *test)
{
	kunit_guarded_require(test);
	kvm_test_poison(test->priv);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, expect_own_lock);
	after_each_reset(test, KVM_MP_STATE_STOPPED, expect_own_lock);
	after_each_reset(test, MP_STATE_POISON, expect_own_lock);
}

static void expect_locks_taken(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		KUNIT_EXPECT_NE_MSG(test, vm->mp_states[i]->taken, 0, "lock of vCPU %u", i);
}

/* Without the lock, a vCPU that looks stopped may be started the next moment. */
static void reset_takes_lock_of_every_vcpu(struct kunit *test)
{
	kunit_guarded_require(test);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, expect_locks_taken);
	after_each_reset(test, KVM_MP_STATE_STOPPED, expect_locks_taken);
}

static void expect_stopped(struct kunit *test)
{
	kvm_test_expect_states(test, KVM_MP_STATE_STOPPED);
}

static void reset_stops_every_vcpu(struct kunit *test)
{
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, expect_stopped);
	after_each_reset(test, KVM_MP_STATE_STOPPED, expect_stopped);
}

/* A vCPU may be started by another one until the reset has its lock. */
static void reset_stops_vcpu_started_meanwhile(struct kunit *test)
{
	struct test_vm *vm = test->priv;

	kunit_guarded_require(test);
	vm->meanwhile = KVM_MP_STATE_RUNNABLE;
	kunit_guarded_on_event(test, kvm_test_write_meanwhile);
	after_each_reset(test, KVM_MP_STATE_STOPPED, expect_stopped);
}

static void expect_sleep_requested(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		KUNIT_EXPECT_TRUE_MSG(test, kvm_test_request(KVM_REQ_SLEEP, &vm->vcpus[i]),
				      "vCPU %u", i);
		/* vcpu-requests.rst: "IPI Reduction" */
		KUNIT_EXPECT_NE_MSG(test, vm->vcpus[i].mode, IN_GUEST_MODE, "vCPU %u", i);
	}
	KUNIT_EXPECT_EQ_MSG(test, vm->slept_early, 0, "requested before the state is written");
}

/* Each vCPU is told, wherever it is, and not before its mp_state is written. */
static void reset_requests_sleep_of_every_vcpu(struct kunit *test)
{
	kunit_guarded_on_event(test, kvm_test_check_order);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, expect_sleep_requested);
}

static void reset_reports_system_event(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int caller, e;

	for (e = 0; e < ARRAY_SIZE(events); e++) {
		for (caller = 0; caller < NR_VCPUS; caller++) {
			kvm_test_prepare(vm, caller, KVM_MP_STATE_RUNNABLE);
			system_reset(test, vm, caller, &events[e]);
			kvm_test_expect_event(test, caller, events[e].type, events[e].reason);
		}
	}
}

static const unsigned int vm_sizes[] = { 1, 16, 128, KVM_MAX_VCPUS };

static void describe_vm_size(const unsigned int *nr_vcpus, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u vCPUs", *nr_vcpus);
}

KUNIT_ARRAY_PARAM(vm_size, vm_sizes, describe_vm_size);

/* VMs of up to the maximum size. */
static void reset_of_many_vcpus(struct kunit *test)
{
	const unsigned int *nr_vcpus = test->param_value;
	ktime_t began = ktime_get();
	struct test_vm *vm = kvm_test_create_vm(test, *nr_vcpus);

	kunit_guarded_require(test);
	kvm_test_prepare(vm, 0, KVM_MP_STATE_RUNNABLE);
	system_reset(test, vm, *nr_vcpus - 1, &events[0]);
	expect_own_lock(test);
	expect_stopped(test);
	expect_sleep_requested(test);
	kunit_info(test, "%u vCPUs took %lld us\n", *nr_vcpus, ktime_us_delta(ktime_get(), began));
}

static struct kunit_case reset_test_cases[] = {
	KUNIT_CASE(reset_holds_lock_of_target_only),
	KUNIT_CASE(reset_takes_lock_of_every_vcpu),
	KUNIT_CASE(reset_stops_every_vcpu),
	KUNIT_CASE(reset_stops_vcpu_started_meanwhile),
	KUNIT_CASE(reset_requests_sleep_of_every_vcpu),
	KUNIT_CASE(reset_reports_system_event),
	KUNIT_CASE_PARAM_ATTR(reset_of_many_vcpus, vm_size_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite reset_test_suite = {
	.name = "riscv_kvm_vcpu_sbi",
	.init = kvm_test_init_vm,
	.test_cases = reset_test_cases,
};

kunit_test_suite(reset_test_suite);
