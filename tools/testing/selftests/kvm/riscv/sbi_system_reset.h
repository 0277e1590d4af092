/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that resets its VM through the SBI, and the threads that run its vCPUs.
 *
 * The tests rely on KVM_REQUEST_WAIT, which Documentation/virt/kvm/vcpu-requests.rst
 * describes. A reset stops every vCPU, and then makes a KVM_REQ_SLEEP, which waits until
 * every vCPU has left guest mode. No vCPU enters it again before it has handled the
 * request. So the counter that each vCPU increments is final when KVM_RUN of the caller
 * returns, and is read then. Next, each of the others gets an interrupt. Its thread does
 * nothing but KVM_RUN: if it still sleeps, KVM has found the vCPU stopped.
 *
 * Section numbers are those of the RISC-V SBI specification, version 2.0.
 */
#ifndef SELFTEST_KVM_SBI_SYSTEM_RESET_H
#define SELFTEST_KVM_SBI_SYSTEM_RESET_H

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "kvm_util.h"
#include "processor.h"
#include "sbi.h"
#include "kselftest_harness.h"

#define MAX_VCPUS	64
#define TEST_TIMEOUT	600
#define POISON		0xa5
#define NOT_REJECTED	1	/* no SBI error */

/* 5.9, 9 and 10, with the kernel's names. Macros, since the assembler needs some. */
#define SBI_EXT_0_1_SHUTDOWN		0x8
#define SBI_EXT_HSM			0x48534D
#define SBI_EXT_HSM_HART_STOP		1
#define SBI_EXT_SRST			0x53525354
#define SBI_EXT_SRST_RESET		0
#define SBI_SRST_RESET_TYPE_SHUTDOWN	0
#define SBI_SRST_RESET_TYPE_COLD_REBOOT	1

struct request {
	unsigned long ext, type, reason;
	long error;
};

static char option;

/* In the guest's memory */
static struct {
	struct {
		u64 count, role;
	} __aligned(64) vcpus[MAX_VCPUS];
	u64 caller;
	/* The caller makes these until KVM accepts one. Ends with one whose ext is 0. */
	struct request requests[6];
} shared;

static void count(unsigned long id)
{
	WRITE_ONCE(shared.vcpus[id].count, READ_ONCE(shared.vcpus[id].count) + 1);
}

/* What a vCPU other than the caller does. Each test program has its own. */
static void guest_other(unsigned long id);

static void guest_code(unsigned long id)
{
	struct request *r;

	count(id);
	if (id != shared.caller)
		guest_other(id);
	for (r = shared.requests; r->ext; r++)
		r->error = sbi_ecall(r->ext, SBI_EXT_SRST_RESET, r->type, r->reason,
				     0, 0, 0, 0).error;
	sbi_ecall(KVM_RISCV_SELFTESTS_SBI_EXT, KVM_RISCV_SELFTESTS_SBI_UNEXP,
		  0, 0, 0, 0, 0, 0);
}

/* A vCPU, and the thread that runs it. The main thread runs the caller. */
struct runner {
	struct kvm_vcpu *vcpu;
	u64 *counter;
	pthread_t thread;
	int tid;
	bool joined;
	int ret, error;
	u64 sp;
	u64 count;
};

struct machine {
	typeof(shared) *shared;
	struct runner runners[MAX_VCPUS], *end, *caller;
};

static u64 count_of(struct runner *r)
{
	return READ_ONCE(*r->counter);
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

static void for_signal(int signal)
{
}

static void machine_create(struct machine *m, int nr)
{
	struct kvm_vcpu *vcpus[MAX_VCPUS];
	struct kvm_vm *vm = vm_create_with_vcpus(nr, guest_code, vcpus);
	struct runner *r;

	signal(SIGUSR1, for_signal);
	m->shared = addr_gva2hva(vm, (unsigned long)&shared);
	m->end = m->runners + nr;
	for (r = m->runners; r < m->end; r++) {
		r->vcpu = vcpus[r - m->runners];
		r->counter = &m->shared->vcpus[r->vcpu->id].count;
		TEST_ASSERT(!__vcpu_get_reg(r->vcpu, RISCV_CORE_REG(regs.sp), &r->sp),
			    "KVM_GET_ONE_REG");
	}
}

/* The caller makes this request if KVM has rejected those before it. */
static void add_request(struct machine *m, int i, unsigned long ext, unsigned long type,
			unsigned long reason)
{
	m->shared->requests[i] = (struct request){ ext, type, reason, NOT_REJECTED };
	m->shared->requests[i + 1].ext = 0;
}

/* Let the first, a middle and the last vCPU be the caller, in turn. */
static void set_caller(struct machine *m, int n)
{
	m->caller = m->runners + n % 3 * (m->end - m->runners - 1) / 2;
	m->shared->caller = m->caller->vcpu->id;
}

/* A race shows only in some resets, and in fewer of them with fewer vCPUs. */
static int nr_resets(struct machine *m)
{
	return max(48 / (int)(m->end - m->runners), 3);
}

/* Set the initial registers and state of a vCPU that is not in KVM_RUN. */
static void vcpu_boot(struct runner *r, u32 state)
{
	struct kvm_mp_state mp_state = { .mp_state = state };

	interrupt(r, KVM_INTERRUPT_UNSET);
	vcpu_arch_set_entry_point(r->vcpu, guest_code);
	vcpu_set_reg(r->vcpu, RISCV_CORE_REG(regs.sp), r->sp);
	vcpu_args_set(r->vcpu, 1, (u64)r->vcpu->id);
	vcpu_mp_state_set(r->vcpu, &mp_state);
	*r->counter = 0;
}

static void *vcpu_thread(void *arg)
{
	struct runner *r = arg;

	WRITE_ONCE(r->tid, syscall(__NR_gettid));
	/* Shows whether KVM writes an event. */
	memset(&r->vcpu->run->system_event, POISON, sizeof(r->vcpu->run->system_event));
	r->vcpu->run->immediate_exit = 0;
	r->ret = __vcpu_run(r->vcpu);
	r->error = errno;
	return NULL;
}

static void vcpu_start(struct runner *r)
{
	r->tid = 0;
	r->joined = false;
	TEST_ASSERT(!pthread_create(&r->thread, NULL, vcpu_thread, r), "pthread_create()");
}

static bool has_returned(struct runner *r)
{
	if (!r->joined)
		r->joined = !pthread_tryjoin_np(r->thread, NULL);
	return r->joined;
}

static bool is_asleep(struct runner *r)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", READ_ONCE(r->tid));
	file = fopen(path, "r");
	if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (file)
		fclose(file);
	return state == 'S';
}

/* Let the caller reset the machine, and expect the event of its request. */
static void reset(struct __test_metadata *_metadata, struct machine *m)
{
	struct request *request = m->shared->requests;
	struct kvm_run *run = m->caller->vcpu->run;
	struct runner *r;

	vcpu_thread(m->caller);
	for (r = m->runners; r < m->end; r++)
		r->count = count_of(r);
	ASSERT_EQ(0, m->caller->ret);
	ASSERT_EQ(KVM_EXIT_SYSTEM_EVENT, run->exit_reason);
	while (request->error != NOT_REJECTED)
		request++;
	EXPECT_EQ(request->type == SBI_SRST_RESET_TYPE_SHUTDOWN ?
		  KVM_SYSTEM_EVENT_SHUTDOWN : KVM_SYSTEM_EVENT_RESET,
		  run->system_event.type);
	EXPECT_EQ(1, run->system_event.ndata);
	EXPECT_EQ(request->reason, run->system_event.data[0]);
	ASSERT_EQ(KVM_MP_STATE_STOPPED, get_mp_state(m->caller));
}

/* Expect a vCPU in KVM_RUN to be stopped, without an event. */
static void expect_rest(struct __test_metadata *_metadata, struct runner *r)
{
	struct kvm_run *run = r->vcpu->run;

	/* This wakes a vCPU that waits in wfi, but not a stopped one. */
	interrupt(r, KVM_INTERRUPT_SET);
	while (!has_returned(r) && !is_asleep(r) && count_of(r) <= r->count)
		sched_yield();
	ASSERT_FALSE(r->joined)
		TH_LOG("KVM_RUN of vCPU %u returned as well", r->vcpu->id);
	run->immediate_exit = 1;
	pthread_kill(r->thread, SIGUSR1);
	pthread_join(r->thread, NULL);
	EXPECT_EQ(-1, r->ret);
	EXPECT_EQ(EINTR, r->error);
	EXPECT_NE(KVM_EXIT_SYSTEM_EVENT, run->exit_reason);
	EXPECT_EQ(POISON * 0x01010101U, run->system_event.type);
	ASSERT_LE(count_of(r), r->count)
		TH_LOG("vCPU %u went on after the reset", r->vcpu->id);
	ASSERT_EQ(KVM_MP_STATE_STOPPED, get_mp_state(r))
		TH_LOG("vCPU %u is not stopped", r->vcpu->id);
}

/* Run the tests if the kernel has what they need. The first argument may be an option. */
static int run_tests(int argc, char *argv[], const char *options)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (argc > 1 && strlen(argv[1]) == 2 && strchr(options, argv[1][1]))
		option = argv[1][1];
	TEST_REQUIRE(!access("/proc/self/stat", R_OK));
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_MP_STATE));
	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	TEST_REQUIRE(__vcpu_has_sbi_ext(vcpu, KVM_RISCV_SBI_EXT_SRST));
	TEST_REQUIRE(__vcpu_has_sbi_ext(vcpu, KVM_RISCV_SBI_EXT_HSM));
	kvm_vm_free(vm);
	return test_harness_run(argc - !!option, argv + !!option);
}

#endif /* SELFTEST_KVM_SBI_SYSTEM_RESET_H */
