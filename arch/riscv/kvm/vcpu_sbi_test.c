// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite for kvm_riscv_vcpu_sbi_system_reset().
 *
 * The SBI system reset (SRST) of one vCPU stops every vCPU of the VM. The rule
 * under test: a vCPU's mp_state is written only while that vCPU's own
 * mp_state_lock is held. See "vcpu->arch.mp_state_lock" in
 * Documentation/virt/kvm/locking.rst.
 *
 * Two observers look on while each vCPU of a VM in turn resets it; vcpu_test_lib.c
 * has them and says how they work. More cases look at what the reset leaves behind.
 * A second suite does the same in VMs of up to the most vCPUs that there can be.
 */

#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <asm/kvm_vcpu_sbi.h>

#include "vcpu_test_lib.h"

static const struct system_event {
	const char *name;
	u32 type;
	u64 reason;
} system_events[] = {
	{ "shutdown", KVM_SYSTEM_EVENT_SHUTDOWN, 1 },
	{ "reset", KVM_SYSTEM_EVENT_RESET, 0xfedcba9876543210ULL },
};

static void call_system_reset(struct vcpu_test *vt)
{
	const struct system_event *event = vt->arg;
	struct kvm_vcpu *vcpu = &vt->vcpu[vt->caller];

	kvm_riscv_vcpu_sbi_system_reset(vcpu, vcpu->run, event->type, event->reason);
}

/* Let vCPU @caller reset the VM under both observers. */
static void system_reset(struct kunit *test, unsigned int caller,
			 const struct system_event *event)
{
	struct vcpu_test *vt = test->priv;

	vt->arg = (void *)event;
	vcpu_test_watch(test, event->name, caller, call_system_reset);
}

/* Let each vCPU cause each event, all vCPUs being in @state, and @check after it. */
static void after_each_reset(struct kunit *test, u32 state,
			     void (*check)(struct kunit *test))
{
	unsigned int caller, e;

	for (e = 0; e < ARRAY_SIZE(system_events); e++) {
		for (caller = 0; caller < NR_VCPUS; caller++) {
			vcpu_test_prepare(test->priv, caller, state);
			system_reset(test, caller, &system_events[e]);
			check(test);
		}
	}
}

/* Each write happens under the lock of the vCPU that is written. */
static void reset_holds_lock_of_target(struct kunit *test)
{
	vcpu_test_require_trace(test);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, vcpu_test_expect_guarded);
	after_each_reset(test, KVM_MP_STATE_STOPPED, vcpu_test_expect_guarded);
	/* Here, writing RUNNABLE would show, too. */
	after_each_reset(test, MP_STATE_MARK, vcpu_test_expect_guarded);
}

static void check_locks_waited_for(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;

	vcpu_test_expect_waited(test, vt->keep);
}

static void reset_once(struct kunit *test)
{
	vcpu_test_prepare(test->priv, 0, KVM_MP_STATE_RUNNABLE);
	system_reset(test, 0, &system_events[0]);
}

/* No write before the reset has waited for that vCPU's lock to come free. */
static void reset_waits_for_lock_of_target(struct kunit *test)
{
	vcpu_test_require_keeper(test, reset_once);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_locks_waited_for);
}

static void check_locks_taken(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;

	vcpu_test_expect_within(test, vt->all, vt->taken, "did not take the mp_state_lock of");
}

/*
 * A state that is looked at without the lock may have changed before the reset
 * is done. So the lock is taken even if nothing needs to be written.
 */
static void reset_takes_lock_of_every_vcpu(struct kunit *test)
{
	if (!vcpu_test_start_trace(test) && !vcpu_test_taking_shows(test->priv))
		kunit_skip(test, "needs CONFIG_LOCKDEP or ticket spinlocks");
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_locks_taken);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_locks_taken);
}

/* mp_state_locks have no order among themselves, so no two are held at a time. */
static void reset_holds_one_lock_at_a_time(struct kunit *test)
{
	vcpu_test_require_trace(test);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, vcpu_test_expect_one_lock);
	after_each_reset(test, KVM_MP_STATE_STOPPED, vcpu_test_expect_one_lock);
}

/* Every lock is free afterwards, and the caller is where it was. */
static void reset_releases_every_lock(struct kunit *test)
{
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, vcpu_test_expect_nothing_held);
	after_each_reset(test, KVM_MP_STATE_STOPPED, vcpu_test_expect_nothing_held);
}

static void check_all_stopped(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	DECLARE_VCPU_SET(others);
	unsigned int i;

	for (i = 0; i < vt->nr_vcpus; i++)
		__assign_bit(i, others, mp_state(vt, i) != KVM_MP_STATE_STOPPED);
	vcpu_test_expect_none(test, others, "not stopped afterwards:");
}

/* Whatever states the vCPUs were in, all of them end stopped. */
static void reset_stops_every_vcpu(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	unsigned int caller, i;

	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_all_stopped);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_all_stopped);
	for (caller = 0; caller < NR_VCPUS; caller++) {
		vcpu_test_prepare(vt, caller, KVM_MP_STATE_RUNNABLE);
		for (i = 0; i < NR_VCPUS; i += 2)
			set_mp_state(vt, i, KVM_MP_STATE_STOPPED);
		system_reset(test, caller, &system_events[0]);
		check_all_stopped(test);
	}
}

static void check_none_left_running(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	DECLARE_VCPU_SET(running);
	unsigned int i;

	for (i = 0; i < vt->nr_vcpus; i++)
		__assign_bit(i, running, mp_state(vt, i) == KVM_MP_STATE_RUNNABLE);
	vcpu_test_expect_none(test, running,
			      "started before its mp_state_lock was taken, but not stopped:");
}

/*
 * A vCPU may be started by another one, under its lock, until the reset has taken
 * that lock. Only then does its state count.
 */
static void reset_stops_vcpu_started_meanwhile(struct kunit *test)
{
	static const u32 started = KVM_MP_STATE_RUNNABLE;
	struct vcpu_test *vt = test->priv;

	vcpu_test_require_keeper(test, reset_once);
	vt->kept_state = &started;
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_none_left_running);
}

static void check_sleep_not_early(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;

	vcpu_test_expect_none(test, vt->trace.asked_early,
			      "KVM_REQ_SLEEP came before the last mp_state was written, for");
}

/*
 * KVM_REQ_SLEEP makes a vCPU look at its mp_state. Nobody is asked to before
 * all states are written: a vCPU that still runs may start one that sleeps.
 */
static void reset_requests_sleep_after_last_write(struct kunit *test)
{
	vcpu_test_require_trace(test);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_sleep_not_early);
}

static void check_all_asked_to_sleep(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	DECLARE_VCPU_SET(in_guest);
	DECLARE_VCPU_SET(asked);
	unsigned int i;

	vcpu_test_asked_to_sleep(vt, asked);
	for (i = 0; i < vt->nr_vcpus; i++)
		__assign_bit(i, in_guest, vt->vcpu[i].mode == IN_GUEST_MODE);
	vcpu_test_expect_within(test, vt->all, asked, "KVM_REQ_SLEEP did not come for");
	vcpu_test_expect_none(test, in_guest, "not told to leave the guest:");
}

/* Wherever a vCPU is, it is asked to sleep; in the guest, it is told to leave. */
static void reset_requests_sleep_of_every_vcpu(struct kunit *test)
{
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_all_asked_to_sleep);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_all_asked_to_sleep);
}

KUNIT_ARRAY_PARAM_DESC(system_event, system_events, name);

/* The caller's kvm_run carries the event, and nothing else has changed. */
static void reset_reports_system_event(struct kunit *test)
{
	const struct system_event *event = test->param_value;
	struct vcpu_test *vt = test->priv;
	unsigned int caller;

	for (caller = 0; caller < NR_VCPUS; caller++) {
		vcpu_test_prepare(vt, caller, KVM_MP_STATE_RUNNABLE);
		vcpu_test_mark_runs(vt);
		system_reset(test, caller, event);
		vcpu_test_expect_event(test, event->type, event->reason);
	}
}

static struct kunit_case reset_test_cases[] = {
	KUNIT_CASE(reset_holds_lock_of_target),
	KUNIT_CASE(reset_waits_for_lock_of_target),
	KUNIT_CASE(reset_takes_lock_of_every_vcpu),
	KUNIT_CASE(reset_holds_one_lock_at_a_time),
	KUNIT_CASE(reset_releases_every_lock),
	KUNIT_CASE(reset_stops_every_vcpu),
	KUNIT_CASE(reset_stops_vcpu_started_meanwhile),
	KUNIT_CASE(reset_requests_sleep_after_last_write),
	KUNIT_CASE(reset_requests_sleep_of_every_vcpu),
	KUNIT_CASE_PARAM(reset_reports_system_event, system_event_gen_params),
	{}
};

static struct kunit_suite reset_test_suite = {
	.name = "riscv_kvm_vcpu_sbi",
	.suite_init = vcpu_test_suite_init,
	.suite_exit = vcpu_test_suite_exit,
	.init = vcpu_test_init,
	.test_cases = reset_test_cases,
};

/* VMs of up to the most vCPUs: a reset of each shows all vCPUs at once */

static const unsigned int vm_sizes[] = { 1, 4, 16, 64, 128, 256, 512, KVM_MAX_VCPUS };

static void describe_vm_size(const unsigned int *nr_vcpus, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u vCPUs", *nr_vcpus);
}

KUNIT_ARRAY_PARAM(vm_size, vm_sizes, describe_vm_size);

/* The locks that are kept in such a VM, the last one included: a wait takes time. */
#define MOST_KEPT	16

/* What there was when a case began. */
static unsigned long many_free_pages;
static ktime_t many_began;

static unsigned long free_pages_now(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram;
}

static int many_test_init(struct kunit *test)
{
	const unsigned int *nr_vcpus = test->param_value;

	many_free_pages = free_pages_now();
	many_began = ktime_get();
	return vcpu_test_init_vm(test, *nr_vcpus);
}

/* For whoever wonders how it grows. */
static void many_test_exit(struct kunit *test)
{
	const unsigned int *nr_vcpus = test->param_value;

	kunit_info(test, "%u vCPUs took %lld us and %ld KiB\n", *nr_vcpus,
		   ktime_us_delta(ktime_get(), many_began),
		   (long)(many_free_pages - free_pages_now()) * (long)(PAGE_SIZE / SZ_1K));
}

static void many_reset(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	unsigned int caller = vt->nr_vcpus / 2;

	vcpu_test_prepare(vt, caller, KVM_MP_STATE_RUNNABLE);
	system_reset(test, caller, &system_events[0]);
}

/* Nobody looks on, so the time is that of the reset alone. */
static void many_stops_every_vcpu(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;

	many_reset(test);
	check_all_stopped(test);
	check_all_asked_to_sleep(test);
	vcpu_test_expect_nothing_held(test);
	kunit_info(test, "reset of %u vCPUs: %lld ns\n", vt->nr_vcpus, ktime_to_ns(vt->duration));
}

static void many_holds_lock_of_target(struct kunit *test)
{
	vcpu_test_require_trace(test);
	many_reset(test);
	vcpu_test_expect_guarded(test);
	vcpu_test_expect_one_lock(test);
	check_locks_taken(test);
}

static void many_waits_for_lock_of_target(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	unsigned int i, step = DIV_ROUND_UP(vt->nr_vcpus, MOST_KEPT);

	vcpu_test_require_keeper(test, many_reset);
	for (i = 0; i < vt->nr_vcpus; i++)
		__assign_bit(vt->nr_vcpus - 1 - i, vt->keep, i % step == 0);
	many_reset(test);
	check_locks_waited_for(test);
}

static struct kunit_case many_test_cases[] = {
	KUNIT_CASE_PARAM_ATTR(many_stops_every_vcpu, vm_size_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM_ATTR(many_holds_lock_of_target, vm_size_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM_ATTR(many_waits_for_lock_of_target, vm_size_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite many_test_suite = {
	.name = "riscv_kvm_vcpu_sbi_many",
	.suite_init = vcpu_test_suite_init,
	.suite_exit = vcpu_test_suite_exit,
	.init = many_test_init,
	.exit = many_test_exit,
	.test_cases = many_test_cases,
};

kunit_test_suites(&reset_test_suite, &many_test_suite);
