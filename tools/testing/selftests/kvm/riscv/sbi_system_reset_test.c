// SPDX-License-Identifier: GPL-2.0
/*
 * A guest resets its VM of 1 to 64 vCPUs through the SBI.
 *
 * Section numbers are those of the RISC-V SBI specification, version 2.0.
 *
 * The cases rely on what KVM guarantees: KVM_REQ_SLEEP has KVM_REQUEST_WAIT set, so
 * the reset returns to userspace only after every other vCPU has left guest mode; and
 * none enters it again before it has checked its own state, which is STOPPED by then.
 * The counter that each vCPU increments is therefore final when the caller's KVM_RUN
 * returns, and it is read right there. The others get time to break the guarantee: the
 * test waits until each one's thread is asleep, or its counter has moved.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>

#include "kvm_util.h"
#include "processor.h"
#include "sbi.h"
#include "kselftest_harness.h"

#define MAX_VCPUS		64
#define SECONDS_TO_HANG		60
#define POISON			0xa5
#define NR_BOOT_REGISTERS	9

/* 5.9, 9 and 10, with the kernel's names. Macros, because the assembler needs some. */
#define SBI_EXT_0_1_SHUTDOWN		0x8
#define SBI_EXT_HSM			0x48534D
#define SBI_EXT_HSM_HART_START		0
#define SBI_EXT_HSM_HART_STOP		1
#define SBI_EXT_SRST			0x53525354
#define SBI_EXT_SRST_RESET		0

/* 10.1 */
#define SBI_SRST_RESET_TYPE_SHUTDOWN	0
#define SBI_SRST_RESET_TYPE_COLD_REBOOT	1
#define SBI_SRST_RESET_TYPE_WARM_REBOOT	2
#define SBI_SRST_RESET_REASON_NONE	0
#define SBI_SRST_RESET_REASON_SYS_FAILURE 1

enum role {
	RUNS,
	WAITS,		/* in wfi */
	STOPS,		/* itself, 9.2 */
	STARTS,		/* each STARTED one, again and again, 9.1 */
	STARTED,	/* stops as soon as it is started */
	ABSENT,		/* not in KVM_RUN: userspace may set its state */
};

struct request {
	unsigned long ext;
	unsigned long type;
	unsigned long reason;
	long error;
};

/* In the guest's memory */
static struct {
	struct {
		u64 count;
		u64 role;
	} __aligned(64) vcpus[MAX_VCPUS];
	u64 nr;
	u64 caller;
	u64 start_address;
	u64 counters_address;
	/* Requests that KVM may or must reject, made before the one that it must accept */
	struct request attempts[4];
	u64 nr_attempts;
	struct request request;
} shared;

static void count(unsigned long id)
{
	WRITE_ONCE(shared.vcpus[id].count, READ_ONCE(shared.vcpus[id].count) + 1);
}

/* Where hart_start starts a vCPU: without a stack or address translation. */
static void __aligned(64) __attribute__((naked)) started(void)
{
	asm volatile("	mv s0, a1\n"
		     "1:	ld t0, 0(s0)\n"
		     "	addi t0, t0, 1\n"
		     "	sd t0, 0(s0)\n"
		     "	li a7, " __stringify(SBI_EXT_HSM) "\n"
		     "	li a6, " __stringify(SBI_EXT_HSM_HART_STOP) "\n"
		     "	ecall\n"
		     "	j 1b\n");
}

static void ask(struct request *request)
{
	request->error = sbi_ecall(request->ext, SBI_EXT_SRST_RESET, request->type,
				   request->reason, 0, 0, 0, 0).error;
}

static void start_others(unsigned long id)
{
	unsigned long i;

	for (i = 0; i < shared.nr; i++) {
		if (shared.vcpus[i].role == STARTED)
			sbi_ecall(SBI_EXT_HSM, SBI_EXT_HSM_HART_START, i,
				  shared.start_address,
				  shared.counters_address + i * sizeof(shared.vcpus[0]),
				  0, 0, 0);
		count(id);
	}
}

static void guest_code(unsigned long id)
{
	unsigned long i;

	count(id);
	if (id == shared.caller) {
		for (i = 0; i < shared.nr_attempts; i++)
			ask(&shared.attempts[i]);
		ask(&shared.request);
		sbi_ecall(KVM_RISCV_SELFTESTS_SBI_EXT, KVM_RISCV_SELFTESTS_SBI_UNEXP,
			  0, 0, 0, 0, 0, 0);
	}
	switch (shared.vcpus[id].role) {
	case STOPS:
	case STARTED:
		sbi_ecall(SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, 0, 0, 0, 0, 0, 0);
		break;
	case WAITS:
		/* With SSTATUS.SIE clear, it wakes and continues after the wfi. */
		csr_set(CSR_SIE, IE_EIE);
		for (;;) {
			asm volatile("wfi" ::: "memory");
			count(id);
		}
	case STARTS:
		for (;;)
			start_others(id);
	}
	for (;;)
		count(id);
}

static const u64 *boot_registers(void)
{
	static u64 ids[NR_BOOT_REGISTERS];

	ids[0] = RISCV_CORE_REG(regs.pc);
	ids[1] = RISCV_CORE_REG(regs.sp);
	ids[2] = RISCV_CORE_REG(regs.gp);
	ids[3] = RISCV_CORE_REG(regs.a0);
	ids[4] = RISCV_GENERAL_CSR_REG(satp);
	ids[5] = RISCV_GENERAL_CSR_REG(stvec);
	ids[6] = RISCV_GENERAL_CSR_REG(sscratch);
	ids[7] = RISCV_GENERAL_CSR_REG(sstatus);
	ids[8] = RISCV_GENERAL_CSR_REG(sie);
	return ids;
}

/* A vCPU, and the thread that runs it. */
struct runner {
	struct machine *machine;
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	int tid;
	sem_t go, done;
	bool returned;
	int ret, error;
	u64 boot[NR_BOOT_REGISTERS];
	u64 count;
	unsigned long sleeps;
};

struct machine {
	struct kvm_vm *vm;
	typeof(shared) *shared;
	struct runner runners[MAX_VCPUS];
	int nr, caller;
	bool can_reset;
	bool stop_setting;
	u64 nr_set;
};

static void for_signal(int signal)
{
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem))
		TEST_ASSERT(errno == EINTR, "sem_wait()");
}

static u64 count_of(struct runner *r)
{
	return READ_ONCE(r->machine->shared->vcpus[r->vcpu->id].count);
}

static enum role role_of(struct runner *r)
{
	return r->machine->shared->vcpus[r->vcpu->id].role;
}

static bool is_caller(struct runner *r)
{
	return r->vcpu->id == r->machine->caller;
}

static bool is_present(struct runner *r)
{
	return is_caller(r) || role_of(r) != ABSENT;
}

/* A racing start may have come after the reset stopped it. */
static bool is_started(struct runner *r)
{
	return !is_caller(r) && role_of(r) == STARTED;
}

static void *run(void *arg)
{
	struct runner *r = arg;
	struct machine *m = r->machine;
	int i;

	r->tid = syscall(__NR_gettid);
	sem_post(&r->done);
	for (;;) {
		wait_for(&r->go);
		r->ret = __vcpu_run(r->vcpu);
		r->error = errno;
		/* Getting here takes longer than a last store takes to become visible. */
		for (i = 0; i < m->nr && is_caller(r); i++)
			m->runners[i].count = count_of(&m->runners[i]);
		__atomic_store_n(&r->returned, true, __ATOMIC_RELEASE);
		sem_post(&r->done);
	}
	return NULL;
}

static bool has_returned(struct runner *r)
{
	return __atomic_load_n(&r->returned, __ATOMIC_ACQUIRE);
}

/* Is the thread asleep, and how many times has it gone to sleep so far? */
static bool is_asleep(struct runner *r, unsigned long *sleeps)
{
	char path[64], text[16384], *state, *switches;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", r->tid);
	fd = open(path, O_RDONLY);
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	TEST_ASSERT(length > 0, "cannot read %s", path);
	text[length] = 0;
	state = strstr(text, "\nState:\t");
	switches = strstr(text, "\nvoluntary_ctxt_switches:\t");
	TEST_ASSERT(state && switches, "%s is incomplete", path);
	*sleeps = strtoul(strchr(switches, ':') + 1, NULL, 10);
	return state[8] == 'S';
}

static void machine_create(struct machine *m, int nr)
{
	const u64 *ids = boot_registers();
	struct sigaction action = { .sa_handler = for_signal };
	struct kvm_vcpu *vcpus[MAX_VCPUS];
	int i, j, error;

	m->nr = nr;
	m->vm = vm_create_with_vcpus(nr, guest_code, vcpus);
#ifdef KVM_CAP_RISCV_MP_STATE_RESET
	m->can_reset = !__vm_enable_cap(m->vm, KVM_CAP_RISCV_MP_STATE_RESET, 0);
#endif
	m->shared = addr_gva2hva(m->vm, (unsigned long)&shared);
	m->shared->nr = nr;
	m->shared->start_address = addr_gva2gpa(m->vm, (unsigned long)started);
	m->shared->counters_address = addr_gva2gpa(m->vm, (unsigned long)&shared.vcpus);
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < nr; i++) {
		struct runner *r = &m->runners[i];

		r->machine = m;
		r->vcpu = vcpus[i];
		vcpu_args_set(r->vcpu, 1, (u64)i);
		for (j = 0; j < ARRAY_SIZE(r->boot); j++)
			TEST_ASSERT(!__vcpu_get_reg(r->vcpu, ids[j], &r->boot[j]),
				    "KVM_GET_ONE_REG");
		sem_init(&r->go, 0, 0);
		sem_init(&r->done, 0, 0);
		error = pthread_create(&r->thread, NULL, run, r);
		TEST_ASSERT(!error, "pthread_create(): %s", strerror(error));
		wait_for(&r->done);
	}
}

static void set_mp_state(struct runner *r, u32 state)
{
	struct kvm_mp_state mp_state = { .mp_state = state };

	vcpu_mp_state_set(r->vcpu, &mp_state);
}

static u32 get_mp_state(struct runner *r)
{
	struct kvm_mp_state mp_state;

	vcpu_mp_state_get(r->vcpu, &mp_state);
	return mp_state.mp_state;
}

static void interrupt(struct runner *r, __u32 irq)
{
	struct kvm_interrupt interrupt = { .irq = irq };

	vcpu_ioctl(r->vcpu, KVM_INTERRUPT, &interrupt);
}

/* Give a vCPU its boot state. It must not be in KVM_RUN. */
static void vcpu_boot(struct runner *r)
{
	const u64 *ids = boot_registers();
	int i;

#ifdef KVM_CAP_RISCV_MP_STATE_RESET
	if (r->machine->can_reset)
		set_mp_state(r, KVM_MP_STATE_INIT_RECEIVED);
#endif
	interrupt(r, KVM_INTERRUPT_UNSET);
	for (i = 0; i < ARRAY_SIZE(r->boot); i++)
		vcpu_set_reg(r->vcpu, ids[i], r->boot[i]);
	set_mp_state(r, KVM_MP_STATE_RUNNABLE);
	r->machine->shared->vcpus[r->vcpu->id].count = 0;
	r->returned = false;
}

static void vcpu_start(struct runner *r)
{
	/* So that what KVM does not write is not mistaken for an event. */
	memset(&r->vcpu->run->system_event, POISON, sizeof(r->vcpu->run->system_event));
	r->vcpu->run->immediate_exit = 0;
	__atomic_store_n(&r->returned, false, __ATOMIC_RELEASE);
	sem_post(&r->go);
}

/* Is it where the reset must find it, or has it failed already? */
static bool is_ready(struct runner *r)
{
	unsigned long sleeps;

	if (has_returned(r))
		return true;
	switch (role_of(r)) {
	case WAITS:
	case STOPS:
		return count_of(r) && is_asleep(r, &sleeps);
	case STARTED:
		return count_of(r) > 2;
	case ABSENT:
		return READ_ONCE(r->machine->nr_set) > 2;
	default:
		return count_of(r);
	}
}

/* Start all but the caller, which machine_reset() starts when they are ready. */
static void machine_boot(struct machine *m)
{
	int i;

	m->shared->caller = m->caller;
	for (i = 0; i < m->nr; i++) {
		vcpu_boot(&m->runners[i]);
		if (i != m->caller && is_present(&m->runners[i]))
			vcpu_start(&m->runners[i]);
	}
}

static void machine_reset(struct machine *m)
{
	int i;

	for (i = 0; i < m->nr; i++)
		while (i != m->caller && !is_ready(&m->runners[i]))
			sched_yield();
	vcpu_start(&m->runners[m->caller]);
	wait_for(&m->runners[m->caller].done);
}

/*
 * A vCPU that was started between the reset's write of its state and its request may run
 * twice more: for that start, and for another that KVM was already handling.
 */
static u64 last_count(struct runner *r)
{
	return r->count + 2 * is_started(r);
}

/*
 * Wait until this vCPU, which something has tried to wake, sleeps again; or until it
 * does what it must not.
 */
static void wait_for_rest(struct runner *r)
{
	unsigned long sleeps;

	for (;;) {
		if (is_asleep(r, &sleeps) && (is_started(r) || sleeps > r->sleeps))
			return;
		if (has_returned(r) || count_of(r) > last_count(r))
			return;
		sched_yield();
	}
}

/* An interrupt wakes a vCPU that waits in the guest, but not a stopped one. */
static void disturb(struct runner *r)
{
	is_asleep(r, &r->sleeps);
	interrupt(r, KVM_INTERRUPT_SET);
}

static void take_out(struct runner *r)
{
	r->vcpu->run->immediate_exit = 1;
	pthread_kill(r->thread, SIGUSR1);
	wait_for(&r->done);
}

static void expect_event(struct __test_metadata *_metadata, struct machine *m)
{
	struct runner *r = &m->runners[m->caller];
	struct request *request = &m->shared->request;
	struct kvm_run *run = r->vcpu->run;

	ASSERT_EQ(0, r->ret);
	ASSERT_EQ(KVM_EXIT_SYSTEM_EVENT, run->exit_reason);
	EXPECT_EQ(request->type == SBI_SRST_RESET_TYPE_SHUTDOWN ?
		  KVM_SYSTEM_EVENT_SHUTDOWN : KVM_SYSTEM_EVENT_RESET,
		  run->system_event.type);
	EXPECT_EQ(1, run->system_event.ndata);
	EXPECT_EQ(request->reason, run->system_event.data[0]);
}

static void expect_no_event(struct __test_metadata *_metadata, struct runner *r)
{
	struct kvm_run *run = r->vcpu->run;

	EXPECT_EQ(-1, r->ret);
	EXPECT_EQ(EINTR, r->error);
	EXPECT_NE(KVM_EXIT_SYSTEM_EVENT, run->exit_reason);
	EXPECT_EQ(POISON * 0x01010101U, run->system_event.type);
}

static void expect_rest(struct __test_metadata *_metadata, struct machine *m, bool started)
{
	struct runner *r;

	for (r = m->runners; r < m->runners + m->nr; r++) {
		if (is_caller(r) || !is_present(r) || is_started(r) != started)
			continue;
		wait_for_rest(r);
		ASSERT_FALSE(has_returned(r))
			TH_LOG("KVM_RUN of vCPU %u returned, too", r->vcpu->id);
	}
}

/* Everything that must hold after a vCPU has reset the machine. */
static void expect_reset(struct __test_metadata *_metadata, struct machine *m)
{
	struct runner *r;

	expect_event(_metadata, m);
	for (r = m->runners; r < m->runners + m->nr; r++)
		if (!is_caller(r) && is_present(r) && !is_started(r))
			disturb(r);
	/* Once those that could start others are at rest, no vCPU is started any more. */
	expect_rest(_metadata, m, false);
	expect_rest(_metadata, m, true);
	for (r = m->runners; r < m->runners + m->nr; r++) {
		if (!is_caller(r) && is_present(r)) {
			take_out(r);
			expect_no_event(_metadata, r);
		}
	}
	for (r = m->runners; r < m->runners + m->nr; r++) {
		if (!is_present(r))
			continue;
		ASSERT_LE(count_of(r), last_count(r))
			TH_LOG("vCPU %u went on after the reset", r->vcpu->id);
		ASSERT_TRUE(is_started(r) || get_mp_state(r) == KVM_MP_STATE_STOPPED)
			TH_LOG("vCPU %u is not stopped", r->vcpu->id);
	}
}

static void set_request(struct machine *m, unsigned long ext, unsigned long type,
			unsigned long reason)
{
	m->shared->request = (struct request){ ext, type, reason };
}

static void boot_and_reset(struct __test_metadata *_metadata, struct machine *m)
{
	machine_boot(m);
	machine_reset(m);
	expect_reset(_metadata, m);
}

/* The first, a middle and the last vCPU */
static int nr_callers(struct machine *m)
{
	return min(m->nr, 3);
}

static int nth_caller(struct machine *m, int n)
{
	return n * (m->nr - 1) / max(nr_callers(m) - 1, 1);
}

/* A race shows only in some resets; the fewer the vCPUs, the more rarely. */
static int nr_rounds(struct machine *m)
{
	return max(16 / m->nr, 1);
}

static void give_roles(struct machine *m, enum role role)
{
	int i;

	for (i = 0; i < m->nr; i++)
		m->shared->vcpus[i].role = role;
}

/* Every second one, whoever the caller is */
static void give_every_second(struct machine *m, enum role role)
{
	int i;

	for (i = 0; i < m->nr; i += 2)
		m->shared->vcpus[(m->caller + 1 + i) % m->nr].role = role;
}

FIXTURE(event)
{
	struct machine machine;
};

FIXTURE_SETUP(event)
{
	machine_create(&self->machine, 4);
	give_roles(&self->machine, RUNS);
}

/* Each test is a process, whose threads and VM end with it. */
FIXTURE_TEARDOWN(event)
{
}

/*
 * 10.1 has SBI_ERR_INVALID_PARAM for a reason that is reserved, or that is left to
 * implementations or vendors and not implemented. KVM leaves both to userspace.
 */
static void reset_for_reason(struct __test_metadata *_metadata, struct machine *m,
			     unsigned long type, unsigned long reason)
{
	bool rejectable = reason > SBI_SRST_RESET_REASON_SYS_FAILURE;
	struct request *attempt = &m->shared->attempts[0];

	*attempt = (struct request){ SBI_EXT_SRST, type, reason, 1 };
	m->shared->nr_attempts = rejectable;
	set_request(m, SBI_EXT_SRST, type, rejectable ? SBI_SRST_RESET_REASON_NONE : reason);
	machine_boot(m);
	machine_reset(m);
	if (rejectable && attempt->error != SBI_ERR_INVALID_PARAM)
		m->shared->request.reason = reason;
	expect_reset(_metadata, m);
}

static void expect_reasons(struct __test_metadata *_metadata, struct machine *m,
			   unsigned long type)
{
	/* The last four are the ends of the ranges for SBI implementations and vendors. */
	static const unsigned long reasons[] = {
		SBI_SRST_RESET_REASON_NONE, SBI_SRST_RESET_REASON_SYS_FAILURE,
		0xE0000000, 0xEFFFFFFF, 0xF0000000, 0xFFFFFFFF,
	};
	int i, j;

	for (i = 0; i < nr_callers(m); i++) {
		m->caller = nth_caller(m, i);
		for (j = 0; j < ARRAY_SIZE(reasons); j++)
			reset_for_reason(_metadata, m, type, reasons[j]);
	}
}

TEST_F_TIMEOUT(event, shutdown, SECONDS_TO_HANG)
{
	expect_reasons(_metadata, &self->machine, SBI_SRST_RESET_TYPE_SHUTDOWN);
}

TEST_F_TIMEOUT(event, cold_reboot, SECONDS_TO_HANG)
{
	expect_reasons(_metadata, &self->machine, SBI_SRST_RESET_TYPE_COLD_REBOOT);
}

TEST_F_TIMEOUT(event, warm_reboot, SECONDS_TO_HANG)
{
	expect_reasons(_metadata, &self->machine, SBI_SRST_RESET_TYPE_WARM_REBOOT);
}

TEST_F_TIMEOUT(event, reserved_reason, SECONDS_TO_HANG)
{
	static const unsigned long reasons[] = { 2, 0xDFFFFFFF };
	int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		reset_for_reason(_metadata, &self->machine,
				 SBI_SRST_RESET_TYPE_COLD_REBOOT, reasons[i]);
}

/* 10.1 has SBI_ERR_INVALID_PARAM for these; KVM says SBI_ERR_NOT_SUPPORTED. */
TEST_F_TIMEOUT(event, reserved_type, SECONDS_TO_HANG)
{
	static const unsigned long types[] = { 3, 0xEFFFFFFF, 0xF0000000, 0xFFFFFFFF };
	struct machine *m = &self->machine;
	int i;

	set_request(m, SBI_EXT_SRST, SBI_SRST_RESET_TYPE_SHUTDOWN, 0);
	for (i = 0; i < ARRAY_SIZE(types); i++)
		m->shared->attempts[i] = (struct request){ SBI_EXT_SRST, types[i], 0, 1 };
	m->shared->nr_attempts = i;
	boot_and_reset(_metadata, m);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		long error = m->shared->attempts[i].error;

		EXPECT_TRUE(error == SBI_ERR_NOT_SUPPORTED || error == SBI_ERR_INVALID_PARAM)
			TH_LOG("type 0x%lx: %ld", types[i], error);
	}
}

/* 5.9; it takes no reason, so KVM reports 0. */
TEST_F_TIMEOUT(event, legacy_shutdown, SECONDS_TO_HANG)
{
	struct machine *m = &self->machine;
	int i;

	if (!__vcpu_has_sbi_ext(m->runners[0].vcpu, KVM_RISCV_SBI_EXT_V01))
		SKIP(return, "no legacy SBI: see CONFIG_RISCV_SBI_V01");
	set_request(m, SBI_EXT_0_1_SHUTDOWN, SBI_SRST_RESET_TYPE_SHUTDOWN, 0);
	for (i = 0; i < nr_callers(m); i++) {
		m->caller = nth_caller(m, i);
		boot_and_reset(_metadata, m);
	}
}

FIXTURE(vcpus)
{
	struct machine machine;
};

FIXTURE_VARIANT(vcpus)
{
	int nr;
};

FIXTURE_VARIANT_ADD(vcpus, 1) { .nr = 1 };
FIXTURE_VARIANT_ADD(vcpus, 2) { .nr = 2 };
FIXTURE_VARIANT_ADD(vcpus, 4) { .nr = 4 };
FIXTURE_VARIANT_ADD(vcpus, 16) { .nr = 16 };
FIXTURE_VARIANT_ADD(vcpus, 64) { .nr = 64 };

FIXTURE_SETUP(vcpus)
{
	if (variant->nr > kvm_check_cap(KVM_CAP_MAX_VCPUS))
		SKIP(return, "KVM does not support %d vCPUs", variant->nr);
	machine_create(&self->machine, variant->nr);
	set_request(&self->machine, SBI_EXT_SRST, SBI_SRST_RESET_TYPE_COLD_REBOOT,
		    SBI_SRST_RESET_REASON_SYS_FAILURE);
}

FIXTURE_TEARDOWN(vcpus)
{
}

static void expect_reset_by_each(struct __test_metadata *_metadata, struct machine *m,
				 enum role role)
{
	int i, j;

	give_roles(m, role);
	for (i = 0; i < nr_callers(m); i++) {
		m->caller = nth_caller(m, i);
		for (j = 0; j < nr_rounds(m); j++)
			boot_and_reset(_metadata, m);
	}
}

TEST_F_TIMEOUT(vcpus, others_run, SECONDS_TO_HANG)
{
	expect_reset_by_each(_metadata, &self->machine, RUNS);
}

TEST_F_TIMEOUT(vcpus, others_in_wfi, SECONDS_TO_HANG)
{
	expect_reset_by_each(_metadata, &self->machine, WAITS);
}

TEST_F_TIMEOUT(vcpus, others_stopped, SECONDS_TO_HANG)
{
	expect_reset_by_each(_metadata, &self->machine, STOPS);
}

TEST_F_TIMEOUT(vcpus, others_being_started, SECONDS_TO_HANG)
{
	struct machine *m = &self->machine;
	int i, j;

	if (m->nr < 3)
		SKIP(return, "needs three vCPUs: one resets, one starts, one is started");
	for (i = 0; i < nr_callers(m); i++) {
		m->caller = nth_caller(m, i);
		for (j = 0; j < nr_rounds(m); j++) {
			give_roles(m, RUNS);
			give_every_second(m, STARTED);
			m->shared->vcpus[(m->caller + 2) % m->nr].role = STARTS;
			boot_and_reset(_metadata, m);
		}
	}
}

static void *set_states(void *arg)
{
	struct machine *m = arg;
	int i;

	while (!READ_ONCE(m->stop_setting)) {
		for (i = 0; i < m->nr; i++) {
			if (is_present(&m->runners[i]))
				continue;
			set_mp_state(&m->runners[i], KVM_MP_STATE_STOPPED);
			set_mp_state(&m->runners[i], KVM_MP_STATE_RUNNABLE);
		}
		WRITE_ONCE(m->nr_set, m->nr_set + 1);
	}
	return NULL;
}

/* A state that userspace sets after the reset must persist. */
static void reset_while_setting(struct __test_metadata *_metadata, struct machine *m)
{
	pthread_t setter;
	struct runner *r;
	u64 nr_set;

	m->stop_setting = false;
	m->nr_set = 0;
	machine_boot(m);
	ASSERT_EQ(0, pthread_create(&setter, NULL, set_states, m));
	machine_reset(m);
	expect_reset(_metadata, m);
	nr_set = READ_ONCE(m->nr_set);
	while (READ_ONCE(m->nr_set) < nr_set + 2)
		sched_yield();
	WRITE_ONCE(m->stop_setting, true);
	pthread_join(setter, NULL);
	for (r = m->runners; r < m->runners + m->nr; r++)
		EXPECT_EQ(is_present(r) ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE,
			  get_mp_state(r));
}

TEST_F_TIMEOUT(vcpus, others_being_set, SECONDS_TO_HANG)
{
	struct machine *m = &self->machine;
	int i, j;

	if (m->nr < 2)
		SKIP(return, "needs a second vCPU");
	for (i = 0; i < nr_callers(m); i++) {
		m->caller = nth_caller(m, i);
		for (j = 0; j < nr_rounds(m); j++) {
			give_roles(m, RUNS);
			give_every_second(m, ABSENT);
			reset_while_setting(_metadata, m);
		}
	}
}

/* KVM_RUN blocks, and the guest executes nothing, until userspace sets the states. */
TEST_F_TIMEOUT(vcpus, stopped_until_set, SECONDS_TO_HANG)
{
	struct machine *m = &self->machine;
	struct runner *r;

	boot_and_reset(_metadata, m);
	m->caller = -1;
	for (r = m->runners; r < m->runners + m->nr; r++) {
		is_asleep(r, &r->sleeps);
		vcpu_start(r);
	}
	for (r = m->runners; r < m->runners + m->nr; r++) {
		wait_for_rest(r);
		EXPECT_FALSE(has_returned(r));
		take_out(r);
		EXPECT_EQ(r->count, count_of(r))
			TH_LOG("vCPU %u went on when run again", r->vcpu->id);
	}
	m->caller = 0;
	boot_and_reset(_metadata, m);
}

TEST_F_TIMEOUT(vcpus, reboots, 10 * SECONDS_TO_HANG)
{
	struct machine *m = &self->machine;
	int i;

	for (i = 0; i < 100; i++) {
		m->caller = i % m->nr;
		set_request(m, SBI_EXT_SRST, i % 3, i % 2);
		boot_and_reset(_metadata, m);
	}
}

/*
 * Runs before the library's own constructor, which is linked after it and fails if the
 * device has no driver. With a priority, it would run before the C runtime's constructors,
 * where exit() must not be called.
 */
static void __attribute__((constructor)) require_kvm(void)
{
	int fd = open(KVM_DEV_PATH, O_RDWR);

	if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENODEV || errno == EACCES))
		ksft_exit_skip("Cannot open %s: %s\n", KVM_DEV_PATH, strerror(errno));
	if (fd >= 0)
		close(fd);
}

int main(int argc, char *argv[])
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	__TEST_REQUIRE(__vcpu_has_sbi_ext(vcpu, KVM_RISCV_SBI_EXT_SRST), "no SRST extension");
	__TEST_REQUIRE(__vcpu_has_sbi_ext(vcpu, KVM_RISCV_SBI_EXT_HSM), "no HSM extension");
	__TEST_REQUIRE(!access("/proc/self/status", R_OK), "/proc is not mounted");
	kvm_vm_free(vm);
	return test_harness_run(argc, argv);
}
