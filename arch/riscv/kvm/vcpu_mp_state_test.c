// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite for all that writes the mp_state of a vCPU.
 *
 * The rule under test: a vCPU's mp_state is written only while that vCPU's own
 * mp_state_lock is held. See "vcpu->arch.mp_state_lock" in
 * Documentation/virt/kvm/locking.rst.
 *
 * A table lists the writers, each called where KVM calls it: an ioctl's function,
 * or the SBI handlers through kvm_riscv_vcpu_sbi_ecall(). Each case that looks at
 * locks goes through the whole table; vcpu_test_lib.c has the observers. The other
 * cases are about what the SBI specification or KVM's API documentation promises
 * of these calls. Sections are those of the SBI specification, version 2.0.
 */

#include <linux/kvm_host.h>
#include <asm/kvm_vcpu_sbi.h>
#include <asm/sbi.h>

#include "vcpu_test_lib.h"

#define RESUMES		1	/* kvm_riscv_vcpu_sbi_ecall(): the guest goes on */
#define EXITS		0	/* ... userspace is to act */

#define NO_SUCH_HART	0x12345UL
#define SEPC		0x1000UL
#define NO_ARGUMENT	0x5a5aUL	/* so that an error that is not set shows */

/* What a vCPU's guest asks the SBI for, and how that ends. */
struct sbi_call {
	unsigned long ext, fid;
	unsigned long a0, a1;
	int ret;			/* RESUMES or EXITS */
	long error;			/* sbiret.error */
	unsigned long value;		/* sbiret.value */
};

static void ecall(struct kvm_vcpu *vcpu, struct sbi_call *call)
{
	struct kvm_cpu_context *cp = &vcpu->arch.guest_context;

	cp->sepc = SEPC;
	cp->a7 = call->ext;
	cp->a6 = call->fid;
	cp->a0 = call->a0;
	cp->a1 = call->a1;
	cp->a2 = 0;
	call->ret = kvm_riscv_vcpu_sbi_ecall(vcpu, vcpu->run);
	call->error = cp->a0;
	call->value = cp->a1;
}

static void ecall_watched(struct vcpu_test *vt)
{
	ecall(&vt->vcpu[vt->caller], vt->arg);
}

/* Let vCPU @caller make @call under both observers. It leaves no lock held. */
static void watch_ecall(struct kunit *test, const char *name, unsigned int caller,
			struct sbi_call *call)
{
	struct vcpu_test *vt = test->priv;

	vt->arg = call;
	vcpu_test_watch(test, name, caller, ecall_watched);
	vcpu_test_expect_nothing_held(test);
}

/* ... and expect the guest to go on after it, with @error. */
static void expect_answer(struct kunit *test, const char *name, unsigned int caller,
			  struct sbi_call *call, long error)
{
	struct vcpu_test *vt = test->priv;

	watch_ecall(test, name, caller, call);
	KUNIT_EXPECT_EQ_MSG(test, call->ret, RESUMES, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, call->error, error, "%s: sbiret.error", name);
	KUNIT_EXPECT_EQ_MSG(test, vt->vcpu[caller].arch.guest_context.sepc, SEPC + 4, "%s", name);
}

/* The writers */

/* In all of these, vt->caller acts, and vt->target is written. */
static struct kvm_vcpu *target(struct vcpu_test *vt)
{
	return &vt->vcpu[vt->target];
}

static void power_off(struct vcpu_test *vt)
{
	kvm_riscv_vcpu_power_off(target(vt));
}

static void power_on(struct vcpu_test *vt)
{
	kvm_riscv_vcpu_power_on(target(vt));
}

static void create(struct vcpu_test *vt)
{
	kvm_arch_vcpu_postcreate(target(vt));
}

static void set_mpstate_runnable(struct vcpu_test *vt)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };

	kvm_arch_vcpu_ioctl_set_mpstate(target(vt), &state);
}

static void set_mpstate_stopped(struct vcpu_test *vt)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_STOPPED };

	kvm_arch_vcpu_ioctl_set_mpstate(target(vt), &state);
}

static void hart_start(struct vcpu_test *vt)
{
	struct sbi_call call = {
		SBI_EXT_HSM, SBI_EXT_HSM_HART_START, target(vt)->vcpu_id
	};

	ecall(&vt->vcpu[vt->caller], &call);
}

static void hart_stop(struct vcpu_test *vt)
{
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, NO_ARGUMENT };

	ecall(&vt->vcpu[vt->caller], &call);
}

static void srst_shutdown(struct vcpu_test *vt)
{
	struct sbi_call call = {
		SBI_EXT_SRST, SBI_EXT_SRST_RESET, SBI_SRST_RESET_TYPE_SHUTDOWN
	};

	ecall(&vt->vcpu[vt->caller], &call);
}

static void srst_reboot(struct vcpu_test *vt)
{
	struct sbi_call call = {
		SBI_EXT_SRST, SBI_EXT_SRST_RESET, SBI_SRST_RESET_TYPE_COLD_REBOOT
	};

	ecall(&vt->vcpu[vt->caller], &call);
}

#ifdef CONFIG_RISCV_SBI_V01
static void legacy_shutdown(struct vcpu_test *vt)
{
	struct sbi_call call = { SBI_EXT_0_1_SHUTDOWN };

	ecall(&vt->vcpu[vt->caller], &call);
}
#endif

/* Who may be the target of a writer: the calling vCPU, another one, or all. */
enum targets { SELF, OTHER, ANY_BUT_FIRST, ALL };

static const struct writer {
	const char *name;
	void (*write)(struct vcpu_test *vt);
	enum targets targets;
	u32 from, to;			/* mp_state before and after */
} writers[] = {
	{ "power off", power_off, SELF, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED },
	{ "power on", power_on, SELF, KVM_MP_STATE_STOPPED, KVM_MP_STATE_RUNNABLE },
	/* The first vCPU is the one that boots, all others are created stopped. */
	{ "creation", create, ANY_BUT_FIRST, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED },
	{ "set_mpstate runnable", set_mpstate_runnable, SELF,
	  KVM_MP_STATE_STOPPED, KVM_MP_STATE_RUNNABLE },
	{ "set_mpstate stopped", set_mpstate_stopped, SELF,
	  KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED },
	{ "hart_start", hart_start, OTHER, KVM_MP_STATE_STOPPED, KVM_MP_STATE_RUNNABLE },
	{ "hart_stop", hart_stop, SELF, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED },
	{ "SRST shutdown", srst_shutdown, ALL, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED },
	{ "SRST reboot", srst_reboot, ALL, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED },
#ifdef CONFIG_RISCV_SBI_V01
	{ "legacy shutdown", legacy_shutdown, ALL,
	  KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED },
#endif
};

static bool may_write(const struct writer *writer, unsigned int caller, unsigned int target)
{
	switch (writer->targets) {
	case SELF:
		return caller == target;
	case OTHER:
		return caller != target;
	case ANY_BUT_FIRST:
		return caller == target && target != 0;
	default:
		return target == 0;
	}
}

static bool is_target(struct vcpu_test *vt, unsigned int i)
{
	const struct writer *writer = vt->arg;

	return writer->targets == ALL || i == vt->target;
}

static void targets_of(struct vcpu_test *vt, unsigned long *targets)
{
	unsigned int i;

	for (i = 0; i < vt->nr_vcpus; i++)
		__assign_bit(i, targets, is_target(vt, i));
}

/* Let each vCPU write each that it may, and @check after it. */
static void after_each_write_by(const struct writer *writer, struct kunit *test,
				void (*check)(struct kunit *test))
{
	struct vcpu_test *vt = test->priv;
	unsigned int caller;

	vt->arg = (void *)writer;
	for (caller = 0; caller < NR_VCPUS; caller++) {
		for (vt->target = 0; vt->target < NR_VCPUS; vt->target++) {
			if (!may_write(writer, caller, vt->target))
				continue;
			vcpu_test_prepare(vt, caller, writer->from);
			vcpu_test_watch(test, writer->name, caller, writer->write);
			check(test);
		}
	}
}

static void after_each_write(struct kunit *test, void (*check)(struct kunit *test))
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(writers); i++)
		after_each_write_by(&writers[i], test, check);
}

static void check_nothing(struct kunit *test)
{
}

static void write_all(struct kunit *test)
{
	after_each_write(test, check_nothing);
}

/* The cases that go through the writers */

/* The write happens under the lock of the vCPU that is written. */
static void write_holds_lock_of_target(struct kunit *test)
{
	vcpu_test_require_trace(test);
	after_each_write(test, vcpu_test_expect_guarded);
}

static void check_locks_waited_for(struct kunit *test)
{
	DECLARE_VCPU_SET(targets);

	targets_of(test->priv, targets);
	vcpu_test_expect_waited(test, targets);
}

/* No write before there was a wait for that vCPU's lock to come free. */
static void write_waits_for_lock_of_target(struct kunit *test)
{
	vcpu_test_require_keeper(test, write_all);
	after_each_write(test, check_locks_waited_for);
}

static void check_locks_taken(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	DECLARE_VCPU_SET(targets);

	targets_of(vt, targets);
	vcpu_test_expect_within(test, targets, vt->taken,
				"did not take the mp_state_lock of");
	vcpu_test_expect_within(test, vt->taken, targets,
				"took for no reason the mp_state_lock of");
}

/* The lock of the vCPU that is written is taken, and no other vCPU's. */
static void write_takes_lock_of_target_only(struct kunit *test)
{
	if (!vcpu_test_start_trace(test) && !vcpu_test_taking_shows(test->priv))
		kunit_skip(test, "needs CONFIG_LOCKDEP or ticket spinlocks");
	after_each_write(test, check_locks_taken);
}

/* mp_state_locks have no order among themselves, so no two are held at a time. */
static void write_holds_one_lock_at_a_time(struct kunit *test)
{
	vcpu_test_require_trace(test);
	after_each_write(test, vcpu_test_expect_one_lock);
}

/* Every lock is free afterwards, and the caller is where it was. */
static void write_releases_every_lock(struct kunit *test)
{
	after_each_write(test, vcpu_test_expect_nothing_held);
}

static void check_states(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	const struct writer *writer = vt->arg;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		KUNIT_EXPECT_EQ_MSG(test, mp_state(vt, i),
				    is_target(vt, i) ? writer->to : writer->from,
				    "%s by vCPU %u: mp_state of vCPU %u", vt->what, vt->caller, i);
}

/* The target is in its new state afterwards, all others are as they were. */
static void write_changes_state_of_target_only(struct kunit *test)
{
	after_each_write(test, check_states);
}

static void check_requests(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	const struct writer *writer = vt->arg;
	DECLARE_VCPU_SET(stopped) = {};
	DECLARE_VCPU_SET(asked);

	if (writer->to == KVM_MP_STATE_STOPPED)
		targets_of(vt, stopped);
	vcpu_test_asked_to_sleep(vt, asked);
	vcpu_test_expect_within(test, stopped, asked, "KVM_REQ_SLEEP did not come for");
	vcpu_test_expect_within(test, asked, stopped, "KVM_REQ_SLEEP came, with no reason, for");
}

/* A vCPU that is stopped is asked to sleep, since it may be running; no other is. */
static void write_requests_sleep_if_stopped(struct kunit *test)
{
	after_each_write(test, check_requests);
}

/* KVM_SET_MP_STATE and KVM_GET_MP_STATE (Documentation/virt/kvm/api.rst) */

static void expect_unchanged(struct kunit *test, u32 state)
{
	struct vcpu_test *vt = test->priv;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		KUNIT_EXPECT_EQ_MSG(test, mp_state(vt, i), state, "mp_state of vCPU %u", i);
		KUNIT_EXPECT_EQ_MSG(test, vt->vcpu[i].requests, 0, "requests of vCPU %u", i);
	}
}

struct set_mpstate {
	struct kvm_mp_state state;
	int ret;
};

static void set_mpstate(struct vcpu_test *vt)
{
	struct set_mpstate *set = vt->arg;

	set->ret = kvm_arch_vcpu_ioctl_set_mpstate(&vt->vcpu[vt->caller], &set->state);
}

/* A state that riscv does not have is refused, and nothing changes. */
static void set_mpstate_refuses_unknown_state(struct kunit *test)
{
	static const u32 unknown[] = {
		KVM_MP_STATE_UNINITIALIZED,
		/* Known to some, but only if userspace has asked for it. */
		KVM_MP_STATE_INIT_RECEIVED,
		KVM_MP_STATE_HALTED,
		KVM_MP_STATE_SIPI_RECEIVED,
		KVM_MP_STATE_CHECK_STOP,
		KVM_MP_STATE_OPERATING,
		KVM_MP_STATE_LOAD,
		KVM_MP_STATE_AP_RESET_HOLD,
		KVM_MP_STATE_SUSPENDED,
		KVM_MP_STATE_SUSPENDED + 1,
		U32_MAX,
	};
	struct vcpu_test *vt = test->priv;
	struct set_mpstate set;
	unsigned int i;

	vt->arg = &set;
	vcpu_test_prepare(vt, 1, MP_STATE_MARK);
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		set.state.mp_state = unknown[i];
		vcpu_test_watch(test, "set_mpstate", 1, set_mpstate);
		KUNIT_EXPECT_EQ_MSG(test, set.ret, -EINVAL, "mp_state %u", unknown[i]);
		vcpu_test_expect_nothing_held(test);
		expect_unchanged(test, MP_STATE_MARK);
	}
}

/*
 * KVM_CAP_RISCV_MP_STATE_RESET: KVM_MP_STATE_INIT_RECEIVED is no state to be in, it
 * resets the vCPU, which stays started or stopped.
 */
static void set_mpstate_init_received_resets_vcpu(struct kunit *test)
{
#ifdef KVM_CAP_RISCV_MP_STATE_RESET
	static const u32 states[] = { KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED };
	struct set_mpstate set = { { KVM_MP_STATE_INIT_RECEIVED } };
	struct vcpu_test *vt = test->priv;
	struct kvm_cpu_context *context = &vt->vcpu[1].arch.guest_context;
	unsigned int i;

	vt->kvm.arch.mp_state_reset = true;
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		vt->arg = &set;
		vcpu_test_prepare(vt, 1, states[i]);
		context->s0 = SEPC;
		vcpu_test_watch(test, "init received", 1, set_mpstate);
		KUNIT_EXPECT_EQ(test, set.ret, 0);
		KUNIT_EXPECT_EQ(test, context->s0, 0);
		vcpu_test_expect_nothing_held(test);
		expect_unchanged(test, states[i]);
	}
#else
	kunit_skip(test, "this kernel has no KVM_CAP_RISCV_MP_STATE_RESET");
#endif
}

static void read_states(struct vcpu_test *vt)
{
	struct sbi_call status = {
		SBI_EXT_HSM, SBI_EXT_HSM_HART_STATUS, target(vt)->vcpu_id
	};

	kvm_arch_vcpu_ioctl_get_mpstate(target(vt), vt->arg);
	ecall(&vt->vcpu[vt->caller], &status);
}

/* Who only reads takes no lock. */
static void read_needs_no_lock(struct kunit *test)
{
	struct kvm_mp_state state = { MP_STATE_MARK };
	struct vcpu_test *vt = test->priv;

	if (!vcpu_test_start_trace(test) && !vcpu_test_taking_shows(vt))
		kunit_skip(test, "needs CONFIG_LOCKDEP or ticket spinlocks");
	vt->arg = &state;
	vt->target = 2;
	vcpu_test_prepare(vt, 1, KVM_MP_STATE_RUNNABLE);
	set_mp_state(vt, 2, KVM_MP_STATE_STOPPED);
	vcpu_test_watch(test, "reading", 1, read_states);
	KUNIT_EXPECT_EQ(test, state.mp_state, KVM_MP_STATE_STOPPED);
	vcpu_test_expect_none(test, vt->taken, "took for no reason the mp_state_lock of");
}

/* The first vCPU of a VM boots it, so its creation does not stop it. */
static void creation_leaves_first_vcpu_runnable(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;

	vt->target = 0;
	vcpu_test_prepare(vt, 0, KVM_MP_STATE_RUNNABLE);
	vcpu_test_watch(test, "creation", 0, create);
	vcpu_test_expect_nothing_held(test);
	expect_unchanged(test, KVM_MP_STATE_RUNNABLE);
}

/* SBI: Hart State Management Extension (9.) */

/* FID #0, 9.1 */
static void hart_start_starts_stopped_hart_only(struct kunit *test)
{
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_START };
	struct vcpu_test *vt = test->priv;
	unsigned int i;

	vcpu_test_prepare(vt, 0, KVM_MP_STATE_STOPPED);
	set_mp_state(vt, 0, KVM_MP_STATE_RUNNABLE);
	vcpu_test_mark_runs(vt);
	for (i = 0; i < NR_VCPUS; i++) {
		struct kvm_vcpu *vcpu = &vt->vcpu[i];

		call.a0 = vcpu->vcpu_id;
		if (i) {
			expect_answer(test, "hart_start", 0, &call, SBI_SUCCESS);
			KUNIT_EXPECT_EQ(test, mp_state(vt, i), KVM_MP_STATE_RUNNABLE);
			/* It begins anew, not where it has stopped. */
			KUNIT_EXPECT_TRUE(test, kvm_check_request(KVM_REQ_VCPU_RESET, vcpu));
		}
		expect_answer(test, "hart_start again", 0, &call, SBI_ERR_ALREADY_AVAILABLE);
		KUNIT_EXPECT_EQ(test, mp_state(vt, i), KVM_MP_STATE_RUNNABLE);
		KUNIT_EXPECT_FALSE(test, kvm_check_request(KVM_REQ_VCPU_RESET, vcpu));
	}
	vcpu_test_expect_event(test, 0, 0);

	vcpu_test_prepare(vt, 0, KVM_MP_STATE_STOPPED);
	call.a0 = NO_SUCH_HART;
	expect_answer(test, "hart_start of none", 0, &call, SBI_ERR_INVALID_PARAM);
	expect_unchanged(test, KVM_MP_STATE_STOPPED);
}

static void try_hart_start(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	struct sbi_call call = {
		SBI_EXT_HSM, SBI_EXT_HSM_HART_START, vt->vcpu[2].vcpu_id
	};

	vcpu_test_prepare(vt, 0, KVM_MP_STATE_STOPPED);
	watch_ecall(test, "hart_start", 0, &call);
}

/* Somebody else starts the hart before its lock comes free: he was first. */
static void hart_start_decides_under_lock(struct kunit *test)
{
	static const u32 started = KVM_MP_STATE_RUNNABLE;
	struct vcpu_test *vt = test->priv;
	struct sbi_call call = {
		SBI_EXT_HSM, SBI_EXT_HSM_HART_START, vt->vcpu[2].vcpu_id
	};

	vcpu_test_require_keeper(test, try_hart_start);
	vt->kept_state = &started;
	vcpu_test_prepare(vt, 0, KVM_MP_STATE_STOPPED);
	expect_answer(test, "hart_start", 0, &call, SBI_ERR_ALREADY_AVAILABLE);
	KUNIT_EXPECT_FALSE(test, kvm_test_request(KVM_REQ_VCPU_RESET, &vt->vcpu[2]));
}

/*
 * FID #1, 9.2. The system reset of another vCPU can have stopped the caller already
 * while it was on its way.
 */
static void hart_stop_stops_caller_once(struct kunit *test)
{
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, NO_ARGUMENT };
	struct vcpu_test *vt = test->priv;

	vcpu_test_prepare(vt, 2, KVM_MP_STATE_RUNNABLE);
	expect_answer(test, "hart_stop", 2, &call, SBI_SUCCESS);
	KUNIT_EXPECT_EQ(test, mp_state(vt, 2), KVM_MP_STATE_STOPPED);

	vcpu_test_prepare(vt, 2, KVM_MP_STATE_STOPPED);
	expect_answer(test, "hart_stop again", 2, &call, SBI_ERR_FAILURE);
	expect_unchanged(test, KVM_MP_STATE_STOPPED);
}

static void try_hart_stop(struct kunit *test)
{
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP };

	vcpu_test_prepare(test->priv, 2, KVM_MP_STATE_RUNNABLE);
	watch_ecall(test, "hart_stop", 2, &call);
}

/* The same for a system reset that comes before the caller's lock does. */
static void hart_stop_decides_under_lock(struct kunit *test)
{
	static const u32 stopped = KVM_MP_STATE_STOPPED;
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, NO_ARGUMENT };
	struct vcpu_test *vt = test->priv;

	vcpu_test_require_keeper(test, try_hart_stop);
	vt->kept_state = &stopped;
	vcpu_test_prepare(vt, 2, KVM_MP_STATE_RUNNABLE);
	expect_answer(test, "hart_stop", 2, &call, SBI_ERR_FAILURE);
}

/* FID #2, 9.3. Of a hart that does not exist there is no state to tell. */
static void hart_get_status_tells_state(struct kunit *test)
{
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_STATUS };
	struct vcpu_test *vt = test->priv;
	unsigned int i;

	vcpu_test_prepare(vt, 0, KVM_MP_STATE_RUNNABLE);
	set_mp_state(vt, 2, KVM_MP_STATE_STOPPED);
	for (i = 0; i < NR_VCPUS; i++) {
		call.a0 = vt->vcpu[i].vcpu_id;
		expect_answer(test, "hart_get_status", 0, &call, SBI_SUCCESS);
		KUNIT_EXPECT_EQ_MSG(test, call.value,
				    i == 2 ? SBI_HSM_STATE_STOPPED : SBI_HSM_STATE_STARTED,
				    "vCPU %u", i);
	}
	call.a0 = NO_SUCH_HART;
	expect_answer(test, "hart_get_status of none", 0, &call, SBI_ERR_INVALID_PARAM);
}

/* SBI: System Reset Extension (10.) and Legacy Extensions (5.) */

/* Let each vCPU make @call, which is to stop the VM and report an event. */
static void expect_reset(struct kunit *test, const char *name, struct sbi_call *call,
			 u32 type, u64 reason)
{
	struct vcpu_test *vt = test->priv;
	unsigned int caller, i;

	for (caller = 0; caller < NR_VCPUS; caller++) {
		vcpu_test_prepare(vt, caller, KVM_MP_STATE_RUNNABLE);
		vcpu_test_mark_runs(vt);
		watch_ecall(test, name, caller, call);
		KUNIT_EXPECT_EQ(test, call->ret, EXITS);
		vcpu_test_expect_event(test, type, reason);
		for (i = 0; i < NR_VCPUS; i++)
			KUNIT_EXPECT_EQ(test, mp_state(vt, i), KVM_MP_STATE_STOPPED);
		/* The caller never comes back from the call. */
		KUNIT_EXPECT_EQ(test, vt->vcpu[caller].arch.guest_context.sepc, SEPC);
	}
}

/*
 * FID #0, 10.1. Both have 32 bits. The section wants reserved reasons refused; KVM
 * does not judge reasons, but hands them on.
 */
static void srst_reports_type_and_reason(struct kunit *test)
{
	static const u32 reasons[] = {
		SBI_SRST_RESET_REASON_NONE, SBI_SRST_RESET_REASON_SYS_FAILURE,
		/* reserved, of the SBI implementation, of the vendor */
		2, 0xDFFFFFFF, 0xE0000000, 0xF0000000, U32_MAX,
	};
	static const struct {
		const char *name;
		unsigned long type;
		u32 event;
	} types[] = {
		{ "shutdown", SBI_SRST_RESET_TYPE_SHUTDOWN, KVM_SYSTEM_EVENT_SHUTDOWN },
		{ "cold reboot", SBI_SRST_RESET_TYPE_COLD_REBOOT, KVM_SYSTEM_EVENT_RESET },
		{ "warm reboot", SBI_SRST_RESET_TYPE_WARM_REBOOT, KVM_SYSTEM_EVENT_RESET },
	};
	struct sbi_call call = { SBI_EXT_SRST, SBI_EXT_SRST_RESET };
	unsigned int t, r;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (r = 0; r < ARRAY_SIZE(reasons); r++) {
			call.a0 = types[t].type;
			call.a1 = reasons[r];
#ifdef CONFIG_64BIT
			call.a0 |= BIT(35);
			call.a1 |= BIT(36);
#endif
			expect_reset(test, types[t].name, &call, types[t].event, reasons[r]);
		}
	}
}

/* FID #0, 10.1. A type that KVM does not have is refused, and nothing happens. */
static void srst_refuses_unknown_type(struct kunit *test)
{
	static const u32 types[] = {
		SBI_SRST_RESET_TYPE_WARM_REBOOT + 1, 0xEFFFFFFF, 0xF0000000, U32_MAX,
	};
	struct sbi_call call = { SBI_EXT_SRST, SBI_EXT_SRST_RESET };
	struct vcpu_test *vt = test->priv;
	unsigned int i;

	vcpu_test_prepare(vt, 1, KVM_MP_STATE_RUNNABLE);
	vcpu_test_mark_runs(vt);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		call.a0 = types[i];
		watch_ecall(test, "unknown type", 1, &call);
		KUNIT_EXPECT_EQ(test, call.ret, RESUMES);
		/* The section has the latter for reserved types, KVM the former for all. */
		KUNIT_EXPECT_TRUE_MSG(test, call.error == SBI_ERR_NOT_SUPPORTED ||
				      call.error == SBI_ERR_INVALID_PARAM,
				      "type 0x%x: error %ld", types[i], call.error);
		expect_unchanged(test, KVM_MP_STATE_RUNNABLE);
		vcpu_test_expect_event(test, 0, 0);
	}

	call.fid = SBI_EXT_SRST_RESET + 1;
	call.a0 = SBI_SRST_RESET_TYPE_SHUTDOWN;
	expect_answer(test, "unknown FID", 1, &call, SBI_ERR_NOT_SUPPORTED);
	expect_unchanged(test, KVM_MP_STATE_RUNNABLE);
	vcpu_test_expect_event(test, 0, 0);
}

/* EID #0x08, 5.9. There is no reason to give. */
static void legacy_shutdown_reports_shutdown(struct kunit *test)
{
#ifdef CONFIG_RISCV_SBI_V01
	struct sbi_call call = { SBI_EXT_0_1_SHUTDOWN };

	expect_reset(test, "legacy shutdown", &call, KVM_SYSTEM_EVENT_SHUTDOWN, 0);
#else
	kunit_skip(test, "needs CONFIG_RISCV_SBI_V01");
#endif
}

static struct kunit_case mp_state_test_cases[] = {
	KUNIT_CASE(write_holds_lock_of_target),
	KUNIT_CASE(write_waits_for_lock_of_target),
	KUNIT_CASE(write_takes_lock_of_target_only),
	KUNIT_CASE(write_holds_one_lock_at_a_time),
	KUNIT_CASE(write_releases_every_lock),
	KUNIT_CASE(write_changes_state_of_target_only),
	KUNIT_CASE(write_requests_sleep_if_stopped),
	KUNIT_CASE(set_mpstate_refuses_unknown_state),
	KUNIT_CASE(set_mpstate_init_received_resets_vcpu),
	KUNIT_CASE(read_needs_no_lock),
	KUNIT_CASE(creation_leaves_first_vcpu_runnable),
	KUNIT_CASE(hart_start_starts_stopped_hart_only),
	KUNIT_CASE(hart_start_decides_under_lock),
	KUNIT_CASE(hart_stop_stops_caller_once),
	KUNIT_CASE(hart_stop_decides_under_lock),
	KUNIT_CASE(hart_get_status_tells_state),
	KUNIT_CASE(srst_reports_type_and_reason),
	KUNIT_CASE(srst_refuses_unknown_type),
	KUNIT_CASE(legacy_shutdown_reports_shutdown),
	{}
};

static struct kunit_suite mp_state_test_suite = {
	.name = "riscv_kvm_vcpu_mp_state",
	.suite_init = vcpu_test_suite_init,
	.suite_exit = vcpu_test_suite_exit,
	.init = vcpu_test_init,
	.test_cases = mp_state_test_cases,
};

kunit_test_suite(mp_state_test_suite);
