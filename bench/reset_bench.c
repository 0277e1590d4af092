// SPDX-License-Identifier: GPL-2.0-only
/*
 * For `make bench`: what a system reset costs, and what it and those who start and stop
 * vCPUs meanwhile do to each other. Built into KVM beside the suites, for the
 * measurement alone.
 *
 * On CPUs of their own, threads take the mp_state_lock of a vCPU again and again, as
 * an HSM call does, while vCPU 0 resets the VM. The lock of vCPU 0 is held for a short
 * time, those of two others for a long one. A thread whose vCPU changes its state
 * while the thread holds the lock was disturbed.
 */

#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <asm/kvm_vcpu_sbi.h>

#include "vcpu_test_vm.h"

#define RESETS		500
#define PAUSE_US	20

static struct worker {
	unsigned int hold_us;		/* how long it holds the lock of its vCPU */
	struct kvm_vcpu *vcpu;
	struct task_struct *thread;
	unsigned int waited;		/* for the reset */
	unsigned int kept_waiting;	/* the reset */
	unsigned int disturbed;
} workers[] = { { 1 }, { 20 }, { 20 } };

static void spend_us(unsigned int us)
{
	ktime_t until = ktime_add_us(ktime_get(), us);

	while (ktime_before(ktime_get(), until))
		cpu_relax();
}

static int work(void *data)
{
	struct worker *w = data;
	struct kvm_vcpu_arch *arch = &w->vcpu->arch;

	while (!kthread_should_stop()) {
		if (!spin_trylock(&arch->mp_state_lock)) {
			w->waited++;
			spin_lock(&arch->mp_state_lock);
		}
		WRITE_ONCE(arch->mp_state.mp_state, KVM_MP_STATE_RUNNABLE);
		spend_us(w->hold_us);
		if (READ_ONCE(arch->mp_state.mp_state) != KVM_MP_STATE_RUNNABLE)
			w->disturbed++;
		if (arch_spin_is_contended(&arch->mp_state_lock.rlock.raw_lock))
			w->kept_waiting++;
		spin_unlock(&arch->mp_state_lock);
		spend_us(PAUSE_US);
		cond_resched();
	}
	return 0;
}

static void reset_waits(struct kunit *test)
{
	struct test_vm *vm = kvm_test_create_vm(test, NR_VCPUS, NULL);
	unsigned int i;
	s64 reset_ns = 0;

	if (num_online_cpus() <= ARRAY_SIZE(workers))
		kunit_skip(test, "needs a CPU for each of the threads and one for the reset");
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(0)));
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		struct worker *w = &workers[i];

		w->vcpu = vm->vcpus[i];
		w->thread = kthread_create_on_cpu(work, w, i + 1, "worker/%u");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w->thread);
		wake_up_process(w->thread);
	}
	for (i = 0; i < RESETS; i++) {
		ktime_t began = ktime_get();

		kvm_riscv_vcpu_sbi_system_reset(vm->vcpus[0], vm->vcpus[0]->run,
						KVM_SYSTEM_EVENT_SHUTDOWN, 0);
		reset_ns += ktime_to_ns(ktime_sub(ktime_get(), began));
		spend_us(PAUSE_US);
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(workers); i++)
		kthread_stop(workers[i].thread);
	kunit_info(test, "reset %lld ns, waits at caller's %u, at others' %u, disturbed %u\n",
		   div_s64(reset_ns, RESETS), workers[0].waited + workers[0].kept_waiting,
		   workers[1].waited + workers[1].kept_waiting +
		   workers[2].waited + workers[2].kept_waiting,
		   workers[0].disturbed + workers[1].disturbed + workers[2].disturbed);
}

static long free_kib(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram * (PAGE_SIZE / SZ_1K);
}

static void reset_cost(struct kunit *test)
{
	static const unsigned int sizes[] = { 128, KVM_MAX_VCPUS };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		long kib = free_kib();
		struct test_vm *vm = kvm_test_create_vm(test, sizes[i], NULL);
		ktime_t began;
		s64 ns;

		kib -= free_kib();
		/* The tick costs as much as eight vCPUs. */
		local_irq_disable();
		began = ktime_get();
		kvm_riscv_vcpu_sbi_system_reset(vm->vcpus[0], vm->vcpus[0]->run,
						KVM_SYSTEM_EVENT_SHUTDOWN, 0);
		ns = ktime_to_ns(ktime_sub(ktime_get(), began));
		local_irq_enable();
		kunit_info(test, "reset of %u vCPUs: %lld ns, %ld KiB\n", sizes[i], ns, kib);
	}
}

static struct kunit_case bench_cases[] = {
	KUNIT_CASE_SLOW(reset_waits),
	KUNIT_CASE_SLOW(reset_cost),
	{}
};

static struct kunit_suite bench_suite = {
	.name = "riscv_kvm_vcpu_reset_bench",
	.test_cases = bench_cases,
};

kunit_test_suite(bench_suite);
