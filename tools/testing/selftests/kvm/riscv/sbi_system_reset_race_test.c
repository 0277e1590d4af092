// SPDX-License-Identifier: GPL-2.0
/*
 * A guest resets its VM through the SBI while one of its vCPUs starts those that are
 * stopped, or while userspace sets their states.
 *
 * The vCPUs that are started or set are those with an odd ID. With -a as the first
 * argument, also use a VM of 61 vCPUs. With -s, fail if a vCPU is started again after the
 * reset has stopped it, or if a start from before the reset takes effect after the next
 * boot.
 */
#include "sbi_system_reset.h"

#define SBI_EXT_HSM_HART_START	0

enum role {
	RUNS,
	STARTS,		/* keeps starting each STARTED one, 9.1 */
	STARTED,	/* stops as soon as it is started, 9.2 */
	ABSENT,		/* not in KVM_RUN: userspace may set its state */
};

/* Guest physical addresses */
static u64 start_address, counters_address;

static struct kvm_mp_state stopped = { KVM_MP_STATE_STOPPED };
static struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
static bool stop_setting;
static u64 nr_set;

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

static void guest_other(unsigned long id)
{
	unsigned long i;

	for (i = 0;; i = (i + 1) % MAX_VCPUS) {
		count(id);
		if (READ_ONCE(shared.vcpus[id].role) == STARTS &&
		    READ_ONCE(shared.vcpus[i].role) == STARTED)
			sbi_ecall(SBI_EXT_HSM, SBI_EXT_HSM_HART_START, i, start_address,
				  counters_address + i * sizeof(shared.vcpus[0]), 0, 0, 0);
	}
}

static enum role role_of(struct machine *m, struct runner *r)
{
	return m->shared->vcpus[r->vcpu->id].role;
}

/* Boot the VM, and wait until all vCPUs are where the reset must find them. */
static void boot(struct machine *m, enum role role_of_odd, int n)
{
	struct runner *r;

	set_caller(m, n);
	for (r = m->runners; r < m->end; r++) {
		u64 *role = &m->shared->vcpus[r->vcpu->id].role;

		*role = r->vcpu->id % 2 ? role_of_odd : RUNS;
		if (r == m->runners + (m->caller == m->runners ? 2 : 0))
			*role = STARTS;
		vcpu_boot(r, *role == STARTED ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE);
	}
	for (r = m->runners; r < m->end; r++)
		if (r != m->caller && role_of(m, r) != ABSENT)
			vcpu_start(r);
	for (r = m->runners; r < m->end; r++)
		while (r != m->caller && role_of(m, r) != ABSENT && !has_returned(r) &&
		       count_of(r) < (role_of(m, r) == STARTED ? 3 : 1))
			sched_yield();
}

/* Reset the VM. Once those that could start others are at rest, no vCPU is started. */
static void reset_and_rest(struct __test_metadata *_metadata, struct machine *m)
{
	struct runner *r;

	reset(_metadata, m);
	for (r = m->runners; r < m->end; r++)
		if (r != m->caller && role_of(m, r) < STARTED)
			expect_rest(_metadata, r);
	for (r = m->runners; r < m->end; r++) {
		if (role_of(m, r) != STARTED)
			continue;
		/*
		 * It may run twice more after KVM_RUN of the caller has returned: once for
		 * a start after the reset's write of its state, and once for a start that
		 * KVM was handling while the vCPU that made it was outside guest mode.
		 */
		if (option != 's')
			r->count += 2;
		expect_rest(_metadata, r);
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

/* So that the first, the middle and the last vCPU have even IDs */
FIXTURE_VARIANT_ADD(vcpus, 5) { .nr = 5 };
FIXTURE_VARIANT_ADD(vcpus, 17) { .nr = 17 };
FIXTURE_VARIANT_ADD(vcpus, 61) { .nr = 61 };

FIXTURE_SETUP(vcpus)
{
	struct machine *m = &self->machine;

	if (variant->nr > 17 && option != 'a')
		SKIP(return, "%d vCPUs: only with -a", variant->nr);
	if (variant->nr > kvm_check_cap(KVM_CAP_MAX_VCPUS))
		SKIP(return, "KVM does not support %d vCPUs", variant->nr);
	machine_create(m, variant->nr);
	start_address = addr_gva2gpa(m->runners->vcpu->vm, (unsigned long)started);
	counters_address = addr_gva2gpa(m->runners->vcpu->vm, (unsigned long)&shared.vcpus);
	sync_global_to_guest(m->runners->vcpu->vm, start_address);
	sync_global_to_guest(m->runners->vcpu->vm, counters_address);
	add_request(m, 0, SBI_EXT_SRST, SBI_SRST_RESET_TYPE_COLD_REBOOT, 1);
}

FIXTURE_TEARDOWN(vcpus)
{
}

TEST_F_TIMEOUT(vcpus, others_being_started, TEST_TIMEOUT)
{
	struct machine *m = &self->machine;
	int i;

	for (i = 0; i < nr_resets(m); i++) {
		boot(m, STARTED, i);
		reset_and_rest(_metadata, m);
	}
}

/* A start that KVM has accepted must not take effect after the reset. */
TEST_F_TIMEOUT(vcpus, start_forgotten, TEST_TIMEOUT)
{
	struct machine *m = &self->machine;
	struct runner *r = m->runners + 1, *starter = m->runners + 2;
	u64 count;

	if (option != 's')
		SKIP(return, "KVM does not forget a start: only with -s");
	boot(m, ABSENT, 0);
	vcpu_mp_state_set(r->vcpu, &stopped);
	WRITE_ONCE(m->shared->vcpus[1].role, STARTED);
	while (get_mp_state(r) == KVM_MP_STATE_STOPPED)
		sched_yield();
	/* Once the starter has counted twice, it has made its last start. */
	WRITE_ONCE(m->shared->vcpus[1].role, ABSENT);
	count = count_of(starter);
	while (count_of(starter) < count + 2)
		sched_yield();
	reset_and_rest(_metadata, m);

	vcpu_boot(r, KVM_MP_STATE_RUNNABLE);
	vcpu_start(r);
	while (!has_returned(r) && !is_asleep(r) && count_of(r) < 3)
		sched_yield();
	EXPECT_LE(3, count_of(r))
		TH_LOG("vCPU 1 started at the address of the start before the reset");
}

static void *set_states(void *arg)
{
	struct machine *m = arg;
	struct runner *r;

	for (; !READ_ONCE(stop_setting); WRITE_ONCE(nr_set, nr_set + 1)) {
		for (r = m->runners + 1; r < m->end; r += 2) {
			vcpu_mp_state_set(r->vcpu, &stopped);
			vcpu_mp_state_set(r->vcpu, &runnable);
		}
	}
	return NULL;
}

static void wait_until_set(u64 nr)
{
	while (READ_ONCE(nr_set) < nr)
		sched_yield();
}

/* A state that userspace sets after the reset must persist. */
TEST_F_TIMEOUT(vcpus, others_being_set, TEST_TIMEOUT)
{
	struct machine *m = &self->machine;
	struct runner *r;
	pthread_t setter;
	int i;

	for (i = 0; i < nr_resets(m); i++) {
		boot(m, ABSENT, i);
		stop_setting = false;
		nr_set = 0;
		ASSERT_EQ(0, pthread_create(&setter, NULL, set_states, m));
		wait_until_set(3);
		reset_and_rest(_metadata, m);
		wait_until_set(READ_ONCE(nr_set) + 2);
		WRITE_ONCE(stop_setting, true);
		pthread_join(setter, NULL);
		for (r = m->runners + 1; r < m->end; r += 2)
			EXPECT_EQ(KVM_MP_STATE_RUNNABLE, get_mp_state(r));
	}
}

int main(int argc, char *argv[])
{
	return run_tests(argc, argv, "as");
}
