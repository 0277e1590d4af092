// SPDX-License-Identifier: GPL-2.0
/*
 * A guest resets its VM through the SBI. Check that userspace gets the event, and that
 * every vCPU stops. With -a as the first argument, also reset VMs of 64 vCPUs, and reset
 * each VM 100 times.
 */
#include "sbi_system_reset.h"

enum role {
	RUNS,
	WAITS,		/* in wfi */
	STOPS,		/* calls hart_stop, 9.2 */
};

static void guest_other(unsigned long id)
{
	if (shared.vcpus[id].role == STOPS)
		sbi_ecall(SBI_EXT_HSM, SBI_EXT_HSM_HART_STOP, 0, 0, 0, 0, 0, 0);
	/* With SSTATUS.SIE clear, an interrupt only ends the wfi. */
	csr_set(CSR_SIE, IE_EIE);
	for (;;) {
		if (shared.vcpus[id].role == WAITS)
			asm volatile("wfi" ::: "memory");
		count(id);
	}
}

static void boot_and_reset(struct __test_metadata *_metadata, struct machine *m, enum role role)
{
	struct runner *r;

	for (r = m->runners; r < m->end; r++) {
		m->shared->vcpus[r->vcpu->id].role = role;
		vcpu_boot(r, KVM_MP_STATE_RUNNABLE);
		if (r != m->caller)
			vcpu_start(r);
	}
	for (r = m->runners; r < m->end; r++)
		while (r != m->caller && !has_returned(r) &&
		       !(count_of(r) && (role == RUNS || is_asleep(r))))
			sched_yield();
	reset(_metadata, m);
	for (r = m->runners; r < m->end; r++)
		if (r != m->caller)
			expect_rest(_metadata, r);
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
FIXTURE_VARIANT_ADD(vcpus, 8) { .nr = 8 };
FIXTURE_VARIANT_ADD(vcpus, 64) { .nr = 64 };

FIXTURE_SETUP(vcpus)
{
	if (variant->nr > 8 && option != 'a')
		SKIP(return, "%d vCPUs: only with -a", variant->nr);
	if (variant->nr > kvm_check_cap(KVM_CAP_MAX_VCPUS))
		SKIP(return, "KVM does not support %d vCPUs", variant->nr);
	machine_create(&self->machine, variant->nr);
	add_request(&self->machine, 0, SBI_EXT_SRST, SBI_SRST_RESET_TYPE_COLD_REBOOT, 1);
	set_caller(&self->machine, 0);
}

/* Each test is a process, whose threads and VM end with it. */
FIXTURE_TEARDOWN(vcpus)
{
}

TEST_F_TIMEOUT(vcpus, event, TEST_TIMEOUT)
{
	/* 10.1: none, failure, two reserved ones, the ends of the SBI's and the platform's */
	static const unsigned long reasons[] = {
		0, 1, 2, 0xDFFFFFFF, 0xE0000000, 0xEFFFFFFF, 0xF0000000, 0xFFFFFFFF,
	};
	struct machine *m = &self->machine;
	struct request *request = m->shared->requests;
	int i;

	for (i = 0; i < 3 * ARRAY_SIZE(reasons); i++) {
		set_caller(m, i / 3);
		add_request(m, 0, SBI_EXT_SRST, i % 3, reasons[i / 3]);
		add_request(m, 1, SBI_EXT_SRST, i % 3, 0);
		boot_and_reset(_metadata, m, WAITS);
		/* KVM passes all reasons on to userspace, but may reject those after 1. */
		EXPECT_TRUE(request->error == NOT_REJECTED ||
			    (i / 3 > 1 && request->error == SBI_ERR_INVALID_PARAM))
			TH_LOG("reason 0x%lx: %ld", reasons[i / 3], request->error);
	}
}

/* 10.1 requires SBI_ERR_INVALID_PARAM; KVM returns SBI_ERR_NOT_SUPPORTED. */
TEST_F_TIMEOUT(vcpus, reserved_type, TEST_TIMEOUT)
{
	static const unsigned long types[] = { 3, 0xEFFFFFFF, 0xF0000000, 0xFFFFFFFF };
	struct machine *m = &self->machine;
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		add_request(m, i, SBI_EXT_SRST, types[i], 0);
	add_request(m, i, SBI_EXT_SRST, SBI_SRST_RESET_TYPE_SHUTDOWN, 0);
	boot_and_reset(_metadata, m, RUNS);
	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_TRUE(m->shared->requests[i].error == SBI_ERR_NOT_SUPPORTED ||
			    m->shared->requests[i].error == SBI_ERR_INVALID_PARAM)
			TH_LOG("type 0x%lx", types[i]);
}

/* 5.9; it takes no reason, so KVM reports 0. */
TEST_F_TIMEOUT(vcpus, legacy_shutdown, TEST_TIMEOUT)
{
	struct machine *m = &self->machine;

	if (!__vcpu_has_sbi_ext(m->runners[0].vcpu, KVM_RISCV_SBI_EXT_V01))
		SKIP(return, "no legacy SBI: see CONFIG_RISCV_SBI_V01");
	add_request(m, 0, SBI_EXT_0_1_SHUTDOWN, SBI_SRST_RESET_TYPE_SHUTDOWN, 0);
	boot_and_reset(_metadata, m, RUNS);
}

static void expect_resets(struct __test_metadata *_metadata, struct machine *m, enum role role)
{
	int i, nr = option == 'a' && role == RUNS ? 100 : nr_resets(m);

	for (i = 0; i < nr; i++) {
		set_caller(m, i);
		boot_and_reset(_metadata, m, role);
	}
}

TEST_F_TIMEOUT(vcpus, others_run, TEST_TIMEOUT)
{
	expect_resets(_metadata, &self->machine, RUNS);
}

TEST_F_TIMEOUT(vcpus, others_in_wfi, TEST_TIMEOUT)
{
	expect_resets(_metadata, &self->machine, WAITS);
}

TEST_F_TIMEOUT(vcpus, others_stopped, TEST_TIMEOUT)
{
	expect_resets(_metadata, &self->machine, STOPS);
}

/* KVM_RUN blocks, and the guest executes nothing, until userspace sets the states. */
TEST_F_TIMEOUT(vcpus, stopped_until_set, TEST_TIMEOUT)
{
	struct machine *m = &self->machine;
	struct runner *r;

	boot_and_reset(_metadata, m, RUNS);
	for (r = m->runners; r < m->end; r++)
		vcpu_start(r);
	for (r = m->runners; r < m->end; r++)
		expect_rest(_metadata, r);
	boot_and_reset(_metadata, m, RUNS);
}

int main(int argc, char *argv[])
{
	return run_tests(argc, argv, "a");
}
