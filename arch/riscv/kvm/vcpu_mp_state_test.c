// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite for every writer of a vCPU's mp_state.
 *
 * The rule under test: an mp_state is written only while the mp_state_lock of the same
 * vCPU is held (see "vcpu->arch.mp_state_lock" in Documentation/virt/kvm/locking.rst).
 *
 * A table lists the writers, called as KVM itself calls them. Each case walks the table
 * and checks one thing after each call: the locks, or what the SBI specification, version
 * 2.0, and Documentation/virt/kvm/api.rst require. The last cases cover calls that write
 * no mp_state.
 */

#include <linux/kvm_host.h>
#include <asm/kvm_vcpu_sbi.h>
#include <asm/sbi.h>

#include "vcpu_test_vm.h"

#define RESUMES		1	/* kvm_riscv_vcpu_sbi_ecall(): resume the guest */
#define EXITS		0	/* ... exit to userspace */

#define NO_SUCH_HART	0x12345UL
#define OPAQUE		0x5a5aUL
/* SBI 10.1: type and reason are 32 bits wide. */
#define HIGH		(IS_ENABLED(CONFIG_64BIT) ? BIT_ULL(35) : 0)

static int set_mpstate(struct kvm_vcpu *vcpu, u32 mp_state)
{
	struct kvm_mp_state state = { mp_state };

	return kvm_arch_vcpu_ioctl_set_mpstate(vcpu, &state);
}

static void set_runnable(struct kvm_vcpu *vcpu)
{
	set_mpstate(vcpu, KVM_MP_STATE_RUNNABLE);
}

static void set_stopped(struct kvm_vcpu *vcpu)
{
	set_mpstate(vcpu, KVM_MP_STATE_STOPPED);
}

static const struct test_writer writers[] = {
	{ "power off", CALLER, KVM_MP_STATE_STOPPED, kvm_riscv_vcpu_power_off },
	{ "power on", CALLER, KVM_MP_STATE_RUNNABLE, kvm_riscv_vcpu_power_on },
	{ "creation", CALLER_UNLESS_FIRST, KVM_MP_STATE_STOPPED, kvm_arch_vcpu_postcreate },
	{ "set_mpstate", CALLER, KVM_MP_STATE_RUNNABLE, set_runnable },
	{ "set_mpstate", CALLER, KVM_MP_STATE_STOPPED, set_stopped },
	/* SBI 9.1 */
	{ "hart_start", OTHER, KVM_MP_STATE_RUNNABLE, NULL, SBI_EXT_HSM, SBI_EXT_HSM_HART_START,
	  .a1 = 0x80200000, .a2 = OPAQUE, .error = SBI_ERR_ALREADY_AVAILABLE },
	/* SBI 9.2; in KVM, a system reset by another vCPU may have stopped the caller. */
	{ "hart_stop", CALLER, KVM_MP_STATE_STOPPED, NULL, SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP,
	  .a0 = OPAQUE, .error = SBI_ERR_FAILURE },
	/* SBI 10.1 */
	{ "SRST", ALL, KVM_MP_STATE_STOPPED, NULL, SBI_EXT_SRST, SBI_EXT_SRST_RESET,
	  SBI_SRST_RESET_TYPE_SHUTDOWN | HIGH, 1 | HIGH,
	  .event = KVM_SYSTEM_EVENT_SHUTDOWN, .reason = 1 },
	{ "cold reboot", ALL, KVM_MP_STATE_STOPPED, NULL, SBI_EXT_SRST, SBI_EXT_SRST_RESET,
	  SBI_SRST_RESET_TYPE_COLD_REBOOT | HIGH, HIGH, .event = KVM_SYSTEM_EVENT_RESET },
	{ "warm reboot", ALL, KVM_MP_STATE_STOPPED, NULL, SBI_EXT_SRST, SBI_EXT_SRST_RESET,
	  SBI_SRST_RESET_TYPE_WARM_REBOOT | HIGH, 0xE0000000 | HIGH,
	  .event = KVM_SYSTEM_EVENT_RESET, .reason = 0xE0000000 },
#ifdef CONFIG_RISCV_SBI_V01
	/* SBI 5.9 */
	{ "legacy shutdown", ALL, KVM_MP_STATE_STOPPED, NULL, SBI_EXT_0_1_SHUTDOWN,
	  .event = KVM_SYSTEM_EVENT_SHUTDOWN },
#endif
	/* These are refused. SBI 9.1 and 9.3: no such hart. SBI 10.1: type or function. */
	{ "hart_start, no hart", NOBODY, 0, NULL, SBI_EXT_HSM, SBI_EXT_HSM_HART_START,
	  NO_SUCH_HART, .error = SBI_ERR_INVALID_PARAM },
	{ "hart_get_status, no hart", NOBODY, 0, NULL, SBI_EXT_HSM, SBI_EXT_HSM_HART_STATUS,
	  NO_SUCH_HART, .error = SBI_ERR_INVALID_PARAM },
	{ "SRST, reserved type", NOBODY, 0, NULL, SBI_EXT_SRST, SBI_EXT_SRST_RESET,
	  SBI_SRST_RESET_TYPE_WARM_REBOOT + 1, .error = SBI_ERR_NOT_SUPPORTED },
	{ "SRST, vendor's type", NOBODY, 0, NULL, SBI_EXT_SRST, SBI_EXT_SRST_RESET,
	  0xF0000000, .error = SBI_ERR_NOT_SUPPORTED },
	{ "SRST, no function", NOBODY, 0, NULL, SBI_EXT_SRST, SBI_EXT_SRST_RESET + 1,
	  .error = SBI_ERR_NOT_SUPPORTED },
	{}
};

static int mp_state_test_init(struct kunit *test)
{
	kvm_test_create_vm(test, NR_VCPUS, writers);
	return 0;
}

/* Each mp_state is written under the lock of its own vCPU, and no other. */
static void write_holds_lock_of_target_only(struct kunit *test)
{
	while (kvm_test_next_write(test, POISONED))
		kunit_expect_guarded(test);
}

/* A spin_trylock() that fails must be retried. */
static void write_waits_for_busy_lock(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	kunit_guarded_require(test);
	while (kvm_test_next_write(test, PLAIN)) {
		for (i = 0; i < NR_VCPUS; i++) {
			if (!vm->mp_states[i]->tried || vm->from == vm->writer->to)
				continue;
			if (!kunit_guarded_hold(test, &vm->vcpus[i]->arch.mp_state_lock))
				kunit_skip(test, "uses spin_trylock(): needs a second CPU");
			kvm_test_write(test);
			kunit_expect_guarded(test);
			kvm_test_expect_states(test);
		}
	}
}

static void write_changes_state_of_target_only(struct kunit *test)
{
	while (kvm_test_next_write(test, PLAIN))
		kvm_test_expect_states(test);
}

/* A stopped vCPU must be told to sleep; a started one must be reset first. */
static void write_requests_in_order(struct kunit *test)
{
	while (kvm_test_next_write(test, PLAIN))
		kvm_test_expect_requests(test);
}

static void write_reports_system_event(struct kunit *test)
{
	while (kvm_test_next_write(test, PLAIN))
		kvm_test_expect_event(test);
}

/* Expect the SBI call's return value, and a reset only of a hart that it starts. */
static void expect_answer(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	const struct test_writer *w = vm->writer;
	struct kvm_vcpu *caller = vm->vcpus[vm->caller], *target = vm->vcpus[vm->target];
	bool writes = w->targets != NOBODY && vm->found != w->to;
	bool starts = writes && w->targets == OTHER;

	if (w->write)
		return;
	KUNIT_EXPECT_EQ_MSG(test, vm->ret, w->event ? EXITS : RESUMES, "%s", w->name);
	KUNIT_EXPECT_EQ_MSG(test, kvm_test_request(KVM_REQ_VCPU_RESET, target), starts,
			    "%s", w->name);
	if (starts) {
		KUNIT_EXPECT_EQ(test, target->arch.reset_state.pc, w->a1);
		KUNIT_EXPECT_EQ(test, target->arch.reset_state.a1, w->a2);
	}
	if (w->event)
		return;
	KUNIT_EXPECT_EQ_MSG(test, caller->arch.guest_context.sepc, 4, "%s", w->name);
	/* For a reserved type, SBI 10.1 requires SBI_ERR_INVALID_PARAM. KVM returns another. */
	if (w->ext != SBI_EXT_SRST || vm->answer != SBI_ERR_INVALID_PARAM)
		KUNIT_EXPECT_EQ_MSG(test, vm->answer, writes ? SBI_SUCCESS : w->error,
				    "%s", w->name);
}

static void sbi_call_answers(struct kunit *test)
{
	while (kvm_test_next_write(test, PLAIN))
		expect_answer(test);
}

/* If another vCPU starts or stops the target first, the call must act on that state. */
static void write_decides_under_lock(struct kunit *test)
{
	while (kvm_test_next_write(test, MEANWHILE)) {
		expect_answer(test);
		kvm_test_expect_states(test);
	}
}

/* SBI 9.3; api.rst, 4.38 KVM_GET_MP_STATE */
static void state_is_reported(struct kunit *test)
{
	static const struct test_writer status = {
		.ext = SBI_EXT_HSM, .fid = SBI_EXT_HSM_HART_STATUS,
	};
	struct test_vm *vm = test->priv;
	struct kvm_cpu_context *cp = &vm->vcpus[0]->arch.guest_context;
	struct kvm_mp_state state;
	unsigned int i;

	/* As in kvm_vcpu_block(): the hart waits for an interrupt. */
	vm->vcpus[1]->stat.generic.blocking = 1;
	while (kvm_test_next_write(test, PLAIN)) {
		for (i = 0; i < NR_VCPUS; i++) {
			unsigned long expected = SBI_HSM_STATE_STARTED;

			if (mp_state(vm, i) == KVM_MP_STATE_STOPPED)
				expected = SBI_HSM_STATE_STOPPED;
			else if (vm->vcpus[i]->stat.generic.blocking)
				expected = SBI_HSM_STATE_SUSPENDED;
			kvm_arch_vcpu_ioctl_get_mpstate(vm->vcpus[i], &state);
			KUNIT_EXPECT_EQ(test, state.mp_state, mp_state(vm, i));
			kvm_test_ecall(vm->vcpus[0], &status, vm->vcpus[i]->vcpu_id);
			KUNIT_EXPECT_EQ(test, cp->a0, SBI_SUCCESS);
			KUNIT_EXPECT_EQ(test, cp->a1, expected);
		}
	}
}

/* api.rst, 4.39 KVM_SET_MP_STATE: these belong to other architectures, or to none. */
static void set_mpstate_refuses_unknown_state(struct kunit *test)
{
	static const u32 unknown[] = {
		KVM_MP_STATE_SIPI_RECEIVED, KVM_MP_STATE_CHECK_STOP, U32_MAX,
	};
	struct test_vm *vm = test->priv;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		kunit_guarded_watch(test, "set_mpstate %u", unknown[i])
			ret = set_mpstate(vm->vcpus[1], unknown[i]);
		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "mp_state %u", unknown[i]);
		KUNIT_EXPECT_EQ(test, mp_state(vm, 1), KVM_MP_STATE_RUNNABLE);
	}
}

/* api.rst, KVM_CAP_RISCV_MP_STATE_RESET: the vCPU is reset, but not its mp_state. */
static void set_mpstate_init_received_resets_vcpu(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = vm->vcpus[1];

	vm->kvm.arch.mp_state_reset = true;
	set_stopped(vcpu);
	vcpu->arch.guest_context.s0 = OPAQUE;
	kunit_guarded_watch(test, "set_mpstate")
		set_mpstate(vcpu, KVM_MP_STATE_INIT_RECEIVED);
	KUNIT_EXPECT_EQ(test, vcpu->arch.guest_context.s0, 0);
	KUNIT_EXPECT_EQ(test, mp_state(vm, 1), KVM_MP_STATE_STOPPED);
}

static struct kunit_case mp_state_test_cases[] = {
	KUNIT_CASE(write_holds_lock_of_target_only),
	KUNIT_CASE(write_waits_for_busy_lock),
	KUNIT_CASE(write_changes_state_of_target_only),
	KUNIT_CASE(write_requests_in_order),
	KUNIT_CASE(write_reports_system_event),
	KUNIT_CASE(sbi_call_answers),
	KUNIT_CASE(write_decides_under_lock),
	KUNIT_CASE(state_is_reported),
	KUNIT_CASE(set_mpstate_refuses_unknown_state),
	KUNIT_CASE(set_mpstate_init_received_resets_vcpu),
	{}
};

static struct kunit_suite mp_state_test_suite = {
	.name = "riscv_kvm_vcpu_mp_state",
	.init = mp_state_test_init,
	.test_cases = mp_state_test_cases,
};

kunit_test_suite(mp_state_test_suite);
