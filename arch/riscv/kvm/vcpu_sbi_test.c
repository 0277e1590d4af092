// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite for kvm_riscv_vcpu_sbi_system_reset().
 *
 * An SBI system reset by one vCPU stops every vCPU of the VM. Each mp_state must be
 * written under the mp_state_lock of the same vCPU (see "vcpu->arch.mp_state_lock" in
 * Documentation/virt/kvm/locking.rst).
 *
 * The states end up the same whichever lock was held, so <kunit/guarded.h> watches the
 * locks while the reset runs. Each vCPU of the VM in turn resets the VM.
 */

#include <linux/kvm_host.h>
#include <linux/ktime.h>
#include <asm/kvm_vcpu_sbi.h>

#include "vcpu_test_vm.h"

#define REASON	0xfedcba9876543210ULL

static void shutdown(struct kvm_vcpu *vcpu)
{
	kvm_riscv_vcpu_sbi_system_reset(vcpu, vcpu->run, KVM_SYSTEM_EVENT_SHUTDOWN, 1);
}

static void reset(struct kvm_vcpu *vcpu)
{
	kvm_riscv_vcpu_sbi_system_reset(vcpu, vcpu->run, KVM_SYSTEM_EVENT_RESET, REASON);
}

static const struct test_writer resets[] = {
	{ "shutdown", ALL, KVM_MP_STATE_STOPPED, shutdown,
	  .event = KVM_SYSTEM_EVENT_SHUTDOWN, .reason = 1 },
	{ "reset", ALL, KVM_MP_STATE_STOPPED, reset,
	  .event = KVM_SYSTEM_EVENT_RESET, .reason = REASON },
	{}
};

static int reset_test_init(struct kunit *test)
{
	kvm_test_create_vm(test, NR_VCPUS, resets);
	return 0;
}

/* Each mp_state is written under the lock of its own vCPU, and no other. */
static void reset_holds_lock_of_target_only(struct kunit *test)
{
	while (kvm_test_next_write(test, POISONED))
		kunit_expect_guarded(test);
}

/* This includes vCPUs that are already stopped: another vCPU may start them. */
static void reset_takes_lock_of_every_vcpu(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	while (kvm_test_next_write(test, POISONED))
		for (i = 0; i < NR_VCPUS; i++)
			KUNIT_EXPECT_NE_MSG(test, vm->mp_states[i]->taken, 0, "vCPU %u", i);
}

static void reset_stops_every_vcpu(struct kunit *test)
{
	while (kvm_test_next_write(test, PLAIN))
		kvm_test_expect_states(test);
}

/* Until the reset holds its lock, a stopped vCPU may be started by another one. */
static void reset_stops_vcpu_started_meanwhile(struct kunit *test)
{
	struct test_vm *vm = test->priv;

	while (kvm_test_next_write(test, MEANWHILE))
		if (vm->from == KVM_MP_STATE_STOPPED)
			kvm_test_expect_states(test);
}

static void reset_requests_sleep_of_every_vcpu(struct kunit *test)
{
	while (kvm_test_next_write(test, PLAIN))
		kvm_test_expect_requests(test);
}

static void reset_reports_system_event(struct kunit *test)
{
	while (kvm_test_next_write(test, PLAIN))
		kvm_test_expect_event(test);
}

static const unsigned int vm_sizes[] = { 1, 16, 128, KVM_MAX_VCPUS };

static void describe_vm_size(const unsigned int *nr_vcpus, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u vCPUs", *nr_vcpus);
}

KUNIT_ARRAY_PARAM(vm_size, vm_sizes, describe_vm_size);

/* Reset VMs of up to the maximum size. */
static void reset_of_many_vcpus(struct kunit *test)
{
	const unsigned int *nr_vcpus = test->param_value;
	ktime_t began = ktime_get();
	struct test_vm *vm = kvm_test_create_vm(test, *nr_vcpus, resets);

	kunit_guarded_require(test);
	vm->caller = *nr_vcpus - 1;
	kvm_test_write(test);
	kunit_expect_guarded(test);
	kvm_test_expect_states(test);
	kvm_test_expect_requests(test);
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
	.init = reset_test_init,
	.test_cases = reset_test_cases,
};

kunit_test_suite(reset_test_suite);
