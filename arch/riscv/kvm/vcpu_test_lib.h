/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For KUnit suites of KVM on RISC-V: a VM, and two observers that tell whether the
 * mp_state of a vCPU is written under that vCPU's own mp_state_lock. The rule is
 * "vcpu->arch.mp_state_lock" in Documentation/virt/kvm/locking.rst.
 *
 * The vCPUs are real, made by kvm_arch_vcpu_create(), but belong to no file
 * descriptor and never enter a guest. They go by their index here, from which
 * their id differs. Sets of vCPUs, such as those whose lock is held, have bit i
 * for vCPU i.
 */

#ifndef __RISCV_KVM_VCPU_TEST_LIB_H__
#define __RISCV_KVM_VCPU_TEST_LIB_H__

#include <kunit/test.h>
#include <linux/irq_work.h>
#include <linux/kvm_host.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>

#define NR_VCPUS	4
#define ALL_VCPUS	GENMASK(NR_VCPUS - 1, 0)

/* A state that KVM never writes, so that whatever it writes next shows. */
#define MP_STATE_MARK	0xa5a5a5a5U

/* What @task does with the locks while it is watched. */
struct lock_trace {
	struct tracepoint *acquire, *release;
	struct task_struct *task;	/* NULL while nobody is watched */
	unsigned long held;		/* whose lock is held now */
	unsigned long taken;		/* whose lock was held at all */
	unsigned long held_together;	/* whose were held when most were */
	unsigned long unguarded;	/* whose state changed while it was not held */
	unsigned long asked;		/* asked to sleep at the last look */
	unsigned long asked_early;	/* ... and a state was written then */
	bool irqs_off;			/* a lock was taken with interrupts off */
	u32 seen[NR_VCPUS];		/* each state at the last look */
	unsigned int marks[NR_VCPUS];	/* how often it became MP_STATE_MARK */
	unsigned long locks[NR_VCPUS];	/* what was held at an unguarded write */
	unsigned long ip[NR_VCPUS];	/* the lock event after that */
};

/* Whose lock is kept until somebody waits for it, and what came of it. */
struct lock_keeper {
	raw_spinlock_t lock;		/* guards what follows, up to @deadline */
	bool active;			/* somebody is watched */
	unsigned long kept;		/* whose lock is kept now */
	unsigned long waited;		/* whose lock was waited for */
	unsigned long unguarded;	/* whose state changed while it was kept */
	unsigned long asked_early;	/* asked to sleep while one was kept */
	unsigned long deadlocked;	/* whose lock was taken twice */
	unsigned int stuck;		/* how often all were set free */
	u32 before[NR_VCPUS];		/* each state in the beginning */
	ktime_t deadline;		/* when patience ends */
	struct irq_work tick;		/* looks for waiters on the only CPU */
	struct task_struct *thread;	/* or from another CPU */
};

/* The VM of a case, in test->priv. */
struct vcpu_test {
	struct kvm kvm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct lock_trace trace;
	struct lock_keeper keeper;
	const char *what;		/* is watched, for messages */
	unsigned int caller;		/* on which vCPU */
	/* For the suite: */
	unsigned int target;		/* the vCPU to be written */
	void *arg;
	unsigned long keep;		/* whose lock to keep */
	const u32 *kept_state;		/* if set, what it writes before it lets go */
	arch_spinlock_t raw_locks[NR_VCPUS];	/* in the beginning */
	unsigned long taken;		/* whose lock was taken at all */
	unsigned long unreleased;	/* whose lock was left held */
	bool context_changed;		/* preemption, interrupts or kvm->lock differ */
	bool irqs_off;			/* by now, a lock was taken with interrupts off */
	bool context_lost;		/* by now, preemption or interrupts differed */
};

static inline u32 mp_state(struct vcpu_test *vt, unsigned int i)
{
	return READ_ONCE(vt->vcpu[i]->arch.mp_state.mp_state);
}

static inline void set_mp_state(struct vcpu_test *vt, unsigned int i, u32 state)
{
	WRITE_ONCE(vt->vcpu[i]->arch.mp_state.mp_state, state);
}

int vcpu_test_suite_init(struct kunit_suite *suite);
int vcpu_test_init(struct kunit *test);

void vcpu_test_prepare(struct vcpu_test *vt, unsigned int caller, u32 state);
unsigned long vcpu_test_asked_to_sleep(struct vcpu_test *vt);

bool vcpu_test_start_trace(struct kunit *test);
void vcpu_test_require_trace(struct kunit *test);
void vcpu_test_require_keeper(struct kunit *test, void (*trial)(struct kunit *test));
bool vcpu_test_taking_shows(struct vcpu_test *vt);

void vcpu_test_watch(struct kunit *test, const char *what, unsigned int caller,
		     void (*act)(struct vcpu_test *vt));

void vcpu_test_expect_none(struct kunit *test, unsigned long vcpus, const char *what);
void vcpu_test_expect_guarded(struct kunit *test);
void vcpu_test_expect_waited(struct kunit *test, unsigned long targets);
void vcpu_test_expect_one_lock(struct kunit *test);
void vcpu_test_expect_nothing_held(struct kunit *test);

void vcpu_test_mark_runs(struct vcpu_test *vt);
void vcpu_test_expect_event(struct kunit *test, u32 type, u64 reason);

#endif
