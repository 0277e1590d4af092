/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For KUnit suites of KVM on RISC-V: a VM, and two observers that tell whether the
 * mp_state of a vCPU is written under that vCPU's own mp_state_lock. The rule is
 * "vcpu->arch.mp_state_lock" in Documentation/virt/kvm/locking.rst.
 *
 * The vCPUs are real, made by kvm_arch_vcpu_create(), but belong to no file
 * descriptor and never enter a guest. They go by their index here, from which
 * their id differs.
 */

#ifndef __RISCV_KVM_VCPU_TEST_LIB_H__
#define __RISCV_KVM_VCPU_TEST_LIB_H__

#include <kunit/test.h>
#include <linux/irq_work.h>
#include <linux/kvm_host.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>

/* How many vCPUs the VM of most cases has. */
#define NR_VCPUS	4

/* A set of vCPUs; bit i stands for vCPU i. */
#define DECLARE_VCPU_SET(name)	DECLARE_BITMAP(name, KVM_MAX_VCPUS)

/* A state that KVM never writes, so that whatever it writes next shows. */
#define MP_STATE_MARK	0xa5a5a5a5U

/* What @task does with the locks while it is watched. */
struct lock_trace {
	struct tracepoint *acquire, *release;
	struct task_struct *task;	/* NULL while nobody is watched */
	unsigned int next;		/* vCPUs below it have been written */
	unsigned int most_held;		/* how many locks were held at a time */
	bool irqs_off;			/* a lock was taken with interrupts off */
	DECLARE_VCPU_SET(held);		/* whose lock is held now */
	DECLARE_VCPU_SET(taken);	/* whose lock was held at all */
	DECLARE_VCPU_SET(held_together);	/* whose were held when most were */
	DECLARE_VCPU_SET(unguarded);	/* whose state changed while it was not held */
	DECLARE_VCPU_SET(asked);	/* asked to sleep at the last look */
	DECLARE_VCPU_SET(asked_early);	/* ... and a state was written then */
};

/* Whose lock is kept until somebody waits for it, and what came of it. */
struct lock_keeper {
	unsigned int stuck;		/* how often all were set free */
	DECLARE_VCPU_SET(kept);		/* whose lock is kept now */
	DECLARE_VCPU_SET(waited);	/* whose lock was waited for */
	DECLARE_VCPU_SET(unguarded);	/* whose state changed while it was kept */
	DECLARE_VCPU_SET(asked_early);	/* asked to sleep while one was kept */
	DECLARE_VCPU_SET(deadlocked);	/* whose lock was taken twice */
	ktime_t deadline;		/* when patience ends */
};

/* What the observers know of a vCPU. */
struct vcpu_record {
	u32 before;			/* its state in the beginning */
	u32 seen;			/* ... at the lock trace's last look */
	unsigned int marks;		/* how often that became MP_STATE_MARK */
	unsigned long ip;		/* the lock event after an unguarded write */
	DECLARE_VCPU_SET(locks);	/* what was held at that write */
	arch_spinlock_t raw_lock;	/* its lock in the beginning */
};

/* The VM of a case, in test->priv. */
struct vcpu_test {
	struct kvm kvm;
	unsigned int nr_vcpus;
	struct kvm_vcpu *vcpu;		/* an array, as is: */
	struct vcpu_record *record;
	struct lock_trace trace;
	struct lock_keeper keeper;
	const char *what;		/* is watched, for messages */
	unsigned int caller;		/* on which vCPU */
	ktime_t duration;		/* of what was watched */
	/* For the suite: */
	unsigned int target;		/* the vCPU to be written */
	void *arg;
	DECLARE_VCPU_SET(all);
	DECLARE_VCPU_SET(keep);		/* whose lock to keep */
	const u32 *kept_state;		/* if set, what it writes before it lets go */
	DECLARE_VCPU_SET(taken);	/* whose lock was taken at all */
	DECLARE_VCPU_SET(unreleased);	/* whose lock was left held */
	bool context_changed;		/* preemption, interrupts or kvm->lock differ */
	bool irqs_off;			/* by now, a lock was taken with interrupts off */
	bool context_lost;		/* by now, preemption or interrupts differed */
};

static inline u32 mp_state(struct vcpu_test *vt, unsigned int i)
{
	return READ_ONCE(vt->vcpu[i].arch.mp_state.mp_state);
}

static inline void set_mp_state(struct vcpu_test *vt, unsigned int i, u32 state)
{
	WRITE_ONCE(vt->vcpu[i].arch.mp_state.mp_state, state);
}

int vcpu_test_suite_init(struct kunit_suite *suite);
void vcpu_test_suite_exit(struct kunit_suite *suite);
int vcpu_test_init(struct kunit *test);
int vcpu_test_init_vm(struct kunit *test, unsigned int nr_vcpus);

void vcpu_test_prepare(struct vcpu_test *vt, unsigned int caller, u32 state);
void vcpu_test_asked_to_sleep(struct vcpu_test *vt, unsigned long *asked);

bool vcpu_test_start_trace(struct kunit *test);
void vcpu_test_require_trace(struct kunit *test);
void vcpu_test_require_keeper(struct kunit *test, void (*trial)(struct kunit *test));
bool vcpu_test_taking_shows(struct vcpu_test *vt);

void vcpu_test_watch(struct kunit *test, const char *what, unsigned int caller,
		     void (*act)(struct vcpu_test *vt));

void vcpu_test_expect_none(struct kunit *test, const unsigned long *vcpus,
			   const char *what);
void vcpu_test_expect_within(struct kunit *test, const unsigned long *vcpus,
			     const unsigned long *limit, const char *what);
void vcpu_test_expect_guarded(struct kunit *test);
void vcpu_test_expect_waited(struct kunit *test, const unsigned long *targets);
void vcpu_test_expect_one_lock(struct kunit *test);
void vcpu_test_expect_nothing_held(struct kunit *test);

void vcpu_test_mark_runs(struct vcpu_test *vt);
void vcpu_test_expect_event(struct kunit *test, u32 type, u64 reason);

#endif
