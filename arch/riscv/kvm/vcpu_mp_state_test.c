// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite for every writer of a vCPU's mp_state.
 *
 * The rule under test: an mp_state is written only while the mp_state_lock of the same
 * vCPU is held (see "vcpu->arch.mp_state_lock" in Documentation/virt/kvm/locking.rst).
 *
 * A table lists the writers, called as KVM itself calls them. The first cases go through
 * the table and watch the locks, by <kunit/guarded.h>. The others check what the SBI
 * specification, version 2.0, and Documentation/virt/kvm/api.rst promise of the calls.
 */

#include <linux/kvm_host.h>
#include <asm/kvm_vcpu_sbi.h>
#include <asm/sbi.h>

#include "vcpu_test_vm.h"

#define RESUMES		1	/* kvm_riscv_vcpu_sbi_ecall(): the guest goes on */
#define EXITS		0	/* ... userspace acts */

#define NO_SUCH_HART	0x12345UL
#define SEPC		0x1000UL
#define START_ADDR	0x80200000UL
#define OPAQUE		0x5a5aUL

struct sbi_call {
	unsigned long ext, fid, a0, a1, a2;
	int ret;
	long error;
	unsigned long value;
};

/* Let vCPU @caller make @call. */
static void ecall(struct kunit *test, const char *name, unsigned int caller, struct sbi_call *call)
{
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = &vm->vcpus[caller];
	struct kvm_cpu_context *cp = &vcpu->arch.guest_context;

	cp->sepc = SEPC;
	cp->a7 = call->ext;
	cp->a6 = call->fid;
	cp->a0 = call->a0;
	cp->a1 = call->a1;
	cp->a2 = call->a2;
	kunit_guarded_watch(test, "%s by vCPU %u", name, caller)
		call->ret = kvm_riscv_vcpu_sbi_ecall(vcpu, vcpu->run);
	call->error = cp->a0;
	call->value = cp->a1;
}

/* Expect the guest to go on after @call, with @error. */
static void expect_answer(struct kunit *test, const char *name, unsigned int caller,
			  struct sbi_call *call, long error)
{
	struct test_vm *vm = test->priv;

	ecall(test, name, caller, call);
	KUNIT_EXPECT_EQ(test, call->ret, RESUMES);
	KUNIT_EXPECT_EQ(test, call->error, error);
	KUNIT_EXPECT_EQ(test, vm->vcpus[caller].arch.guest_context.sepc, SEPC + 4);
}

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

enum targets { SELF, OTHER, ALL };

static const struct writer {
	const char *name;
	void (*write)(struct kvm_vcpu *target);
	unsigned long ext, fid;		/* the SBI call, if there is no function */
	enum targets targets;
	u32 to;
} writers[] = {
	{ "power off", kvm_riscv_vcpu_power_off, 0, 0, SELF, KVM_MP_STATE_STOPPED },
	{ "power on", kvm_riscv_vcpu_power_on, 0, 0, SELF, KVM_MP_STATE_RUNNABLE },
	{ "creation", kvm_arch_vcpu_postcreate, 0, 0, SELF, KVM_MP_STATE_STOPPED },
	{ "set_mpstate", set_runnable, 0, 0, SELF, KVM_MP_STATE_RUNNABLE },
	{ "set_mpstate", set_stopped, 0, 0, SELF, KVM_MP_STATE_STOPPED },
	{ "hart_start", NULL, SBI_EXT_HSM, SBI_EXT_HSM_HART_START, OTHER, KVM_MP_STATE_RUNNABLE },
	{ "hart_stop", NULL, SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, SELF, KVM_MP_STATE_STOPPED },
	{ "SRST", NULL, SBI_EXT_SRST, SBI_EXT_SRST_RESET, ALL, KVM_MP_STATE_STOPPED },
#ifdef CONFIG_RISCV_SBI_V01
	{ "legacy shutdown", NULL, SBI_EXT_0_1_SHUTDOWN, 0, ALL, KVM_MP_STATE_STOPPED },
#endif
};

/* One use of a writer. */
struct write {
	const struct writer *writer;
	unsigned int caller, target;
};

static u32 state_before(const struct writer *writer)
{
	return writer->to == KVM_MP_STATE_STOPPED ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_STOPPED;
}

static bool is_target(const struct write *w, unsigned int i)
{
	/* The first vCPU is created runnable. */
	if (w->writer->write == kvm_arch_vcpu_postcreate && !w->target)
		return false;
	return w->writer->targets == ALL || i == w->target;
}

static void do_write(struct kunit *test, const struct write *w, u32 before)
{
	struct test_vm *vm = test->priv;
	struct sbi_call call = { w->writer->ext, w->writer->fid };

	kvm_test_prepare(vm, w->caller, before);
	if (!w->writer->write) {
		call.a0 = w->writer->targets == OTHER ? vm->vcpus[w->target].vcpu_id : 0;
		ecall(test, w->writer->name, w->caller, &call);
		return;
	}
	kunit_guarded_watch(test, "%s by vCPU %u", w->writer->name, w->caller)
		w->writer->write(&vm->vcpus[w->target]);
}

/* Let each vCPU act on each that it may, and @check after it. */
static void after_each_write(struct kunit *test, bool poisoned,
			     void (*check)(struct kunit *test, const struct write *w))
{
	struct write w;

	for (w.writer = writers; w.writer < writers + ARRAY_SIZE(writers); w.writer++) {
		for (w.caller = 0; w.caller < NR_VCPUS; w.caller++) {
			for (w.target = 0; w.target < NR_VCPUS; w.target++) {
				bool self = w.caller == w.target;

				if (w.writer->targets != (self ? OTHER : SELF)) {
					do_write(test, &w, poisoned ? MP_STATE_POISON :
							   state_before(w.writer));
					check(test, &w);
				}
			}
		}
	}
}

static void expect_own_lock(struct kunit *test, const struct write *w)
{
	kunit_expect_guarded(test);
	kunit_expect_one_guard(test);
}

/* Each mp_state is written under the lock of the vCPU that it belongs to, and no other. */
static void write_holds_lock_of_target_only(struct kunit *test)
{
	kunit_guarded_require(test);
	kvm_test_poison(test->priv);
	after_each_write(test, false, expect_own_lock);
	after_each_write(test, true, expect_own_lock);
}

static void expect_states(struct kunit *test, const struct write *w)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		KUNIT_EXPECT_EQ_MSG(test, mp_state(vm, i),
				    is_target(w, i) ? w->writer->to : state_before(w->writer),
				    "%s by vCPU %u: vCPU %u", w->writer->name, w->caller, i);
}

static void write_changes_state_of_target_only(struct kunit *test)
{
	after_each_write(test, false, expect_states);
}

static void expect_waited(struct kunit *test, const struct write *w)
{
	struct test_vm *vm = test->priv;

	if (!vm->mp_states[w->target]->tried)
		return;
	if (!kunit_guarded_hold(test, &vm->vcpus[w->target].arch.mp_state_lock))
		kunit_skip(test, "uses spin_trylock(): needs a second CPU");
	do_write(test, w, state_before(w->writer));
	kunit_expect_guarded(test);
	expect_states(test, w);
}

/* A lock that spin_trylock() does not get has to be tried again. */
static void write_waits_for_busy_lock(struct kunit *test)
{
	kunit_guarded_require(test);
	after_each_write(test, false, expect_waited);
}

static void expect_requests(struct kunit *test, const struct write *w)
{
	struct test_vm *vm = test->priv;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		if (!is_target(w, i))
			continue;
		if (w->writer->to == KVM_MP_STATE_STOPPED)
			KUNIT_EXPECT_TRUE_MSG(test,
					      kvm_test_request(KVM_REQ_SLEEP, &vm->vcpus[i]) &&
					      !test_bit(i, &vm->slept_early),
					      "%s by vCPU %u: vCPU %u asked to sleep after the write",
					      w->writer->name, w->caller, i);
		else if (w->writer->targets == OTHER)
			KUNIT_EXPECT_FALSE_MSG(test, test_bit(i, &vm->started_early),
					       "%s by vCPU %u: vCPU %u may run before its reset",
					       w->writer->name, w->caller, i);
	}
}

/* A stopped vCPU must be told to sleep; a started one must be reset first. */
static void write_requests_in_order(struct kunit *test)
{
	kunit_guarded_on_event(test, kvm_test_check_order);
	after_each_write(test, false, expect_requests);
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

	kvm_test_prepare(vm, 1, MP_STATE_POISON);
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		kunit_guarded_watch(test, "set_mpstate %u", unknown[i])
			ret = set_mpstate(&vm->vcpus[1], unknown[i]);
		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "mp_state %u", unknown[i]);
		kvm_test_expect_states(test, MP_STATE_POISON);
	}
}

/* api.rst, KVM_CAP_RISCV_MP_STATE_RESET: the vCPU is reset and stays as it is. */
static void set_mpstate_init_received_resets_vcpu(struct kunit *test)
{
	static const u32 states[] = { KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_STOPPED };
	struct test_vm *vm = test->priv;
	struct kvm_vcpu *vcpu = &vm->vcpus[1];
	unsigned int i;

	vm->kvm.arch.mp_state_reset = true;
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		kvm_test_prepare(vm, 1, states[i]);
		vcpu->arch.guest_context.s0 = SEPC;
		kunit_guarded_watch(test, "set_mpstate")
			set_mpstate(vcpu, KVM_MP_STATE_INIT_RECEIVED);
		KUNIT_EXPECT_EQ(test, vcpu->arch.guest_context.s0, 0);
		kvm_test_expect_states(test, states[i]);
	}
}

static void expect_start_at(struct kunit *test, struct kvm_vcpu *vcpu,
			    unsigned long addr, unsigned long opaque)
{
	KUNIT_EXPECT_EQ(test, vcpu->arch.reset_state.pc, addr);
	KUNIT_EXPECT_EQ(test, vcpu->arch.reset_state.a1, opaque);
}

/* SBI 9.1 */
static void hart_start_starts_stopped_hart_only(struct kunit *test)
{
	struct sbi_call call = {
		SBI_EXT_HSM, SBI_EXT_HSM_HART_START, 0, START_ADDR, OPAQUE
	};
	struct test_vm *vm = test->priv;
	unsigned int i;

	kvm_test_prepare(vm, 0, KVM_MP_STATE_STOPPED);
	set_runnable(&vm->vcpus[0]);
	for (i = 1; i < NR_VCPUS; i++) {
		struct kvm_vcpu *vcpu = &vm->vcpus[i];

		call.a0 = vcpu->vcpu_id;
		expect_answer(test, "hart_start", 0, &call, SBI_SUCCESS);
		KUNIT_EXPECT_EQ(test, mp_state(vm, i), KVM_MP_STATE_RUNNABLE);
		KUNIT_EXPECT_TRUE(test, kvm_check_request(KVM_REQ_VCPU_RESET, vcpu));
		expect_start_at(test, vcpu, START_ADDR, OPAQUE);

		expect_answer(test, "hart_start", 0, &call, SBI_ERR_ALREADY_AVAILABLE);
		KUNIT_EXPECT_FALSE(test, kvm_test_request(KVM_REQ_VCPU_RESET, vcpu));
	}
	kvm_test_expect_event(test, 0, 0, 0);

	kvm_test_prepare(vm, 0, KVM_MP_STATE_STOPPED);
	call.a0 = NO_SUCH_HART;
	expect_answer(test, "hart_start", 0, &call, SBI_ERR_INVALID_PARAM);
	kvm_test_expect_states(test, KVM_MP_STATE_STOPPED);
}

/* SBI 9.2; KVM: a system reset by another vCPU may have stopped the caller already. */
static void hart_stop_stops_caller_once(struct kunit *test)
{
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, OPAQUE };
	struct test_vm *vm = test->priv;

	kvm_test_prepare(vm, 2, KVM_MP_STATE_RUNNABLE);
	expect_answer(test, "hart_stop", 2, &call, SBI_SUCCESS);
	KUNIT_EXPECT_EQ(test, mp_state(vm, 2), KVM_MP_STATE_STOPPED);

	kvm_test_prepare(vm, 2, KVM_MP_STATE_STOPPED);
	expect_answer(test, "hart_stop", 2, &call, SBI_ERR_FAILURE);
	kvm_test_expect_states(test, KVM_MP_STATE_STOPPED);
}

static void expect_decision_under_lock(struct kunit *test, const char *name, struct sbi_call *call,
				       u32 before, u32 meanwhile, long error)
{
	struct test_vm *vm = test->priv;

	kunit_guarded_require(test);
	kunit_guarded_on_event(test, kvm_test_write_meanwhile);
	vm->meanwhile = meanwhile;
	kvm_test_prepare(vm, 1, before);
	expect_answer(test, name, 1, call, error);
	KUNIT_EXPECT_FALSE(test, kvm_test_request(KVM_REQ_VCPU_RESET, &vm->vcpus[2]));
}

/* Another vCPU starts the hart first, so this hart_start must fail. */
static void hart_start_decides_under_lock(struct kunit *test)
{
	struct test_vm *vm = test->priv;
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_START, vm->vcpus[2].vcpu_id };

	expect_decision_under_lock(test, "hart_start", &call, KVM_MP_STATE_STOPPED,
				   KVM_MP_STATE_RUNNABLE, SBI_ERR_ALREADY_AVAILABLE);
}

/* A system reset by another vCPU stops the caller first, so its hart_stop must fail. */
static void hart_stop_decides_under_lock(struct kunit *test)
{
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, OPAQUE };

	expect_decision_under_lock(test, "hart_stop", &call, KVM_MP_STATE_RUNNABLE,
				   KVM_MP_STATE_STOPPED, SBI_ERR_FAILURE);
}

/* SBI 9.3; api.rst, 4.38 KVM_GET_MP_STATE */
static void state_is_reported(struct kunit *test)
{
	struct sbi_call call = { SBI_EXT_HSM, SBI_EXT_HSM_HART_STATUS };
	struct test_vm *vm = test->priv;
	struct kvm_mp_state state;
	unsigned int i;

	kvm_test_prepare(vm, 0, KVM_MP_STATE_RUNNABLE);
	set_mpstate(&vm->vcpus[2], KVM_MP_STATE_STOPPED);
	for (i = 0; i < NR_VCPUS; i++) {
		call.a0 = vm->vcpus[i].vcpu_id;
		expect_answer(test, "hart_get_status", 0, &call, SBI_SUCCESS);
		KUNIT_EXPECT_EQ(test, call.value,
				i == 2 ? SBI_HSM_STATE_STOPPED : SBI_HSM_STATE_STARTED);
		kunit_guarded_watch(test, "get_mpstate of vCPU %u", i)
			kvm_arch_vcpu_ioctl_get_mpstate(&vm->vcpus[i], &state);
		KUNIT_EXPECT_EQ(test, state.mp_state,
				i == 2 ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE);
	}
	call.a0 = NO_SUCH_HART;
	expect_answer(test, "hart_get_status", 0, &call, SBI_ERR_INVALID_PARAM);
}

static const struct reset {
	const char *name;
	unsigned long ext, type;
	u32 reason, event;
} resets[] = {
	{ "shutdown", SBI_EXT_SRST, SBI_SRST_RESET_TYPE_SHUTDOWN, 1, KVM_SYSTEM_EVENT_SHUTDOWN },
	{ "cold reboot", SBI_EXT_SRST, SBI_SRST_RESET_TYPE_COLD_REBOOT, 0, KVM_SYSTEM_EVENT_RESET },
	{ "warm reboot", SBI_EXT_SRST, SBI_SRST_RESET_TYPE_WARM_REBOOT, 0xE0000000,
	  KVM_SYSTEM_EVENT_RESET },
#ifdef CONFIG_RISCV_SBI_V01
	{ "legacy shutdown", SBI_EXT_0_1_SHUTDOWN, 0, 0, KVM_SYSTEM_EVENT_SHUTDOWN },
#endif
};

/* SBI 10.1, where type and reason have 32 bits, and 5.9, without a reason. */
static void reset_reports_type_and_reason(struct kunit *test)
{
	unsigned long high = IS_ENABLED(CONFIG_64BIT) ? BIT_ULL(35) : 0;
	struct test_vm *vm = test->priv;
	const struct reset *r;
	unsigned int caller;

	for (r = resets; r < resets + ARRAY_SIZE(resets); r++) {
		for (caller = 0; caller < NR_VCPUS; caller++) {
			struct sbi_call call = { r->ext, 0, r->type | high, r->reason | high };

			kvm_test_prepare(vm, caller, KVM_MP_STATE_RUNNABLE);
			ecall(test, r->name, caller, &call);
			KUNIT_EXPECT_EQ(test, call.ret, EXITS);
			kvm_test_expect_event(test, caller, r->event, r->reason);
		}
	}
}

/* SBI 10.1: reserved types are invalid, others may not be supported. */
static void srst_refuses_unknown_type(struct kunit *test)
{
	static const u32 types[] = { SBI_SRST_RESET_TYPE_WARM_REBOOT + 1, 0xF0000000 };
	struct sbi_call call = { SBI_EXT_SRST, SBI_EXT_SRST_RESET };
	struct test_vm *vm = test->priv;
	unsigned int i;

	kvm_test_prepare(vm, 1, KVM_MP_STATE_RUNNABLE);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		call.a0 = types[i];
		ecall(test, "SRST", 1, &call);
		KUNIT_EXPECT_EQ(test, call.ret, RESUMES);
		/* KVM has the former for both. */
		KUNIT_EXPECT_TRUE_MSG(test, call.error == SBI_ERR_NOT_SUPPORTED ||
				      call.error == SBI_ERR_INVALID_PARAM,
				      "type %#x: error %ld", types[i], call.error);
	}
	call.fid = SBI_EXT_SRST_RESET + 1;
	call.a0 = SBI_SRST_RESET_TYPE_SHUTDOWN;
	expect_answer(test, "SRST", 1, &call, SBI_ERR_NOT_SUPPORTED);
	kvm_test_expect_states(test, KVM_MP_STATE_RUNNABLE);
	kvm_test_expect_event(test, 1, 0, 0);
}

static struct kunit_case mp_state_test_cases[] = {
	KUNIT_CASE(write_holds_lock_of_target_only),
	KUNIT_CASE(write_waits_for_busy_lock),
	KUNIT_CASE(write_changes_state_of_target_only),
	KUNIT_CASE(write_requests_in_order),
	KUNIT_CASE(set_mpstate_refuses_unknown_state),
	KUNIT_CASE(set_mpstate_init_received_resets_vcpu),
	KUNIT_CASE(hart_start_starts_stopped_hart_only),
	KUNIT_CASE(hart_start_decides_under_lock),
	KUNIT_CASE(hart_stop_stops_caller_once),
	KUNIT_CASE(hart_stop_decides_under_lock),
	KUNIT_CASE(state_is_reported),
	KUNIT_CASE(reset_reports_type_and_reason),
	KUNIT_CASE(srst_refuses_unknown_type),
	{}
};

static struct kunit_suite mp_state_test_suite = {
	.name = "riscv_kvm_vcpu_mp_state",
	.init = kvm_test_init_vm,
	.test_cases = mp_state_test_cases,
};

kunit_test_suite(mp_state_test_suite);
