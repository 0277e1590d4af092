// SPDX-License-Identifier: GPL-2.0
/*
 * For KUnit suites of KVM on RISC-V: a VM, and two observers of its mp_state_locks.
 *
 * The end state is the same whichever lock was held at a write, so looking at the
 * vCPUs afterwards shows nothing. Two observers look while the function under test
 * runs:
 *
 * - The lock trace, a probe on lockdep's tracepoints, follows which
 *   mp_state_locks the calling task holds, and at each lock event looks for
 *   states that have changed since the one before. Between two events the set
 *   of held locks is constant, so every change is matched with the locks held.
 *
 * - The lock keeper holds mp_state_locks when the function begins and lets one
 *   go only when the function waits for it. A state that changes while its
 *   lock is still kept was written without that lock. This needs somebody to
 *   look while the function spins: a thread on another CPU or, if there is
 *   none, the timer interrupt.
 *
 * The keeper also frees a function that waits for a lock which it holds itself.
 */

#include <linux/bitmap.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <trace/events/lock.h>

#include "vcpu_test_lib.h"

/* How often a state becomes MP_STATE_MARK; one may look until it's stopped. */
#define MAX_MARKS	8

/* How many vCPUs the lock trace looks at besides the one of a lock event. */
#define LOOK_AHEAD	8

/* How many unguarded writes of a function are reported one by one. */
#define MAX_REPORTS	8

/*
 * How long a function that isn't seen to wait may take to get on: while a lock is
 * kept, while none is, and once there was a deadlock.
 */
#define KEPT_PATIENCE_MS	1000
#define FREE_PATIENCE_MS	5000
#define NO_PATIENCE_MS		100

#define RUN_MARK	0xa5

static unsigned int free_patience_ms = FREE_PATIENCE_MS;

/**
 * vcpu_test_asked_to_sleep() - Tell for which vCPUs KVM_REQ_SLEEP is pending
 * @vt: the VM
 * @asked: becomes the set of these vCPUs
 */
void vcpu_test_asked_to_sleep(struct vcpu_test *vt, unsigned long *asked)
{
	unsigned int i;

	for (i = 0; i < vt->nr_vcpus; i++)
		__assign_bit(i, asked, kvm_test_request(KVM_REQ_SLEEP, &vt->vcpu[i]));
}

/* The lock trace */

static void trace_state(struct vcpu_test *vt, unsigned int i, unsigned long ip)
{
	struct vcpu_record *r = &vt->record[i];
	struct lock_trace *t = &vt->trace;
	u32 state = mp_state(vt, i);

	if (state == r->seen)
		return;
	r->seen = state;
	bitmap_or(t->asked_early, t->asked_early, t->asked, vt->nr_vcpus);
	if (test_bit(i, t->held) || __test_and_set_bit(i, t->unguarded))
		return;
	bitmap_copy(r->locks, t->held, vt->nr_vcpus);
	r->ip = ip;
}

static void trace_states(struct vcpu_test *vt, unsigned int from, unsigned int to,
			 unsigned long ip)
{
	unsigned int i;

	for (i = from; i < to; i++)
		trace_state(vt, i, ip);
	for (i = from; i < to; i++)
		__assign_bit(i, vt->trace.asked,
			     kvm_test_request(KVM_REQ_SLEEP, &vt->vcpu[i]));
}

#if defined(CONFIG_LOCKDEP) && defined(CONFIG_TRACEPOINTS)

/*
 * A state that has changed between two events of its own lock shows at the second
 * of them, or in the end. So to look at vCPU @i is all that it takes; the next ones
 * that will be written, should they go in order, show when and under which lock.
 */
static void trace_writes(struct vcpu_test *vt, unsigned int i, unsigned long ip)
{
	struct lock_trace *t = &vt->trace;
	unsigned int to = min(t->next + LOOK_AHEAD, vt->nr_vcpus);

	trace_states(vt, to > LOOK_AHEAD ? to - LOOK_AHEAD : 0, to, ip);
	if (i < vt->nr_vcpus)
		trace_state(vt, i, ip);
	while (t->next < vt->nr_vcpus &&
	       vt->record[t->next].seen != vt->record[t->next].before)
		t->next++;
}

/* Whose mp_state_lock it is; nr_vcpus if it is another lock. */
static unsigned int vcpu_of_lock(struct vcpu_test *vt, struct lockdep_map *map)
{
	size_t offset = (void *)map - (void *)&vt->vcpu[0].arch.mp_state_lock.dep_map;

	if (offset % sizeof(struct kvm_vcpu))
		return vt->nr_vcpus;
	return min(offset / sizeof(struct kvm_vcpu), (size_t)vt->nr_vcpus);
}

static void trace_acquire(struct vcpu_test *vt, unsigned int i)
{
	struct lock_trace *t = &vt->trace;
	unsigned int n;

	__set_bit(i, t->held);
	__set_bit(i, t->taken);
	n = bitmap_weight(t->held, vt->nr_vcpus);
	if (n > t->most_held) {
		t->most_held = n;
		bitmap_copy(t->held_together, t->held, vt->nr_vcpus);
	}
}

static void trace_release(struct vcpu_test *vt, unsigned int i)
{
	struct vcpu_record *r = &vt->record[i];

	__clear_bit(i, vt->trace.held);
	if (r->marks++ >= MAX_MARKS)
		return;
	/* From here on, writing the same state once more shows. */
	r->seen = MP_STATE_MARK;
	set_mp_state(vt, i, MP_STATE_MARK);
}

/*
 * An interrupt takes no mp_state_lock, but others: the task's locks are the same
 * before and after it. Only it must not come while the trace is being written.
 */

/* Lockdep announces a lock before it's waited for, a trylock after success. */
static void probe_lock_acquire(void *data, struct lockdep_map *map,
			       unsigned int subclass, int trylock, int read,
			       int check, struct lockdep_map *nest_lock,
			       unsigned long ip)
{
	struct vcpu_test *vt = data;
	unsigned long flags;
	unsigned int i;

	if (READ_ONCE(vt->trace.task) != current)
		return;
	raw_local_irq_save(flags);
	i = vcpu_of_lock(vt, map);
	trace_writes(vt, i, ip);
	if (i < vt->nr_vcpus) {
		trace_acquire(vt, i);
		vt->trace.irqs_off |= raw_irqs_disabled_flags(flags);
	}
	raw_local_irq_restore(flags);
}

static void probe_lock_release(void *data, struct lockdep_map *map,
			       unsigned long ip)
{
	struct vcpu_test *vt = data;
	unsigned long flags;
	unsigned int i;

	if (READ_ONCE(vt->trace.task) != current)
		return;
	raw_local_irq_save(flags);
	i = vcpu_of_lock(vt, map);
	trace_writes(vt, i, ip);
	if (i < vt->nr_vcpus)
		trace_release(vt, i);
	raw_local_irq_restore(flags);
}

/* The lock tracepoints are not exported to modules: find them by name. */
static void find_lock_tracepoints(struct tracepoint *tp, void *data)
{
	struct lock_trace *t = data;

	if (!strcmp(tp->name, "lock_acquire"))
		t->acquire = tp;
	else if (!strcmp(tp->name, "lock_release"))
		t->release = tp;
}

static void lock_trace_stop(void *data)
{
	struct vcpu_test *vt = data;

	tracepoint_probe_unregister(vt->trace.acquire, probe_lock_acquire, vt);
	tracepoint_probe_unregister(vt->trace.release, probe_lock_release, vt);
	tracepoint_synchronize_unregister();
}

/**
 * vcpu_test_start_trace() - Have the lock trace look on for the rest of a case
 * @test: the case
 *
 * Fails @test if it cannot be started. Context: may sleep.
 *
 * Return: false if this kernel has no events to trace.
 */
bool vcpu_test_start_trace(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	struct lock_trace *t = &vt->trace;

	check_trace_callback_type_lock_acquire(probe_lock_acquire);
	check_trace_callback_type_lock_release(probe_lock_release);

	for_each_kernel_tracepoint(find_lock_tracepoints, t);
	KUNIT_ASSERT_NOT_NULL(test, t->acquire);
	KUNIT_ASSERT_NOT_NULL(test, t->release);
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(t->acquire, probe_lock_acquire, vt));
	if (tracepoint_probe_register(t->release, probe_lock_release, vt)) {
		tracepoint_probe_unregister(t->acquire, probe_lock_acquire, vt);
		KUNIT_FAIL_AND_ABORT(test, "no probe on lock_release");
	}
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, lock_trace_stop, vt));
	return true;
}

#else

static void lock_trace_stop(void *data)
{
}

bool vcpu_test_start_trace(struct kunit *test)
{
	return false;
}

#endif

/**
 * vcpu_test_require_trace() - Start the lock trace or skip the case
 * @test: the case
 *
 * Context: may sleep; does not return if it skips.
 */
void vcpu_test_require_trace(struct kunit *test)
{
	if (!vcpu_test_start_trace(test))
		kunit_skip(test, "needs CONFIG_LOCKDEP (PROVE_LOCKING) and CONFIG_TRACEPOINTS");
}

/* The lock keeper */

static void keeper_tick(struct irq_work *tick);

/* Where it looks from, for all cases of a suite. */
static struct {
	raw_spinlock_t lock;		/* guards @watched, and its lock_keeper */
	struct vcpu_test *watched;	/* NULL while nobody is */
	bool busy;			/* at the last look, a lock was kept */
	struct task_struct *thread;	/* looks for waiters from another CPU */
	unsigned int cpu;		/* ... which is this one */
	struct irq_work tick;		/* or from the timer interrupt of the only one */
} keeper = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(keeper.lock),
	/* Lazy work is left to the timer interrupt. */
	.tick = IRQ_WORK_INIT_LAZY(keeper_tick),
};

static bool locks_spin(void)
{
	return IS_ENABLED(CONFIG_SMP) && !IS_ENABLED(CONFIG_PREEMPT_RT);
}

/*
 * The spinlock below lockdep: the keeper must not be taken for its holder, or
 * lockdep would report a deadlock.
 */
static arch_spinlock_t *raw_mp_state_lock(struct vcpu_test *vt, unsigned int i)
{
#ifdef CONFIG_PREEMPT_RT
	return NULL;
#else
	return &vt->vcpu[i].arch.mp_state_lock.rlock.raw_lock;
#endif
}

static void keeper_note_writes(struct vcpu_test *vt)
{
	struct lock_keeper *k = &vt->keeper;
	unsigned int i;

	for_each_set_bit(i, k->kept, vt->nr_vcpus)
		if (mp_state(vt, i) != vt->record[i].before)
			__set_bit(i, k->unguarded);
}

static void keeper_set_deadline(struct lock_keeper *k, unsigned int ms)
{
	k->deadline = ktime_add_ms(ktime_get(), ms);
}

static bool keeps_any(struct vcpu_test *vt)
{
	return !bitmap_empty(vt->keeper.kept, vt->nr_vcpus);
}

static void keeper_be_patient(struct vcpu_test *vt)
{
	keeper_set_deadline(&vt->keeper, keeps_any(vt) ? KEPT_PATIENCE_MS : free_patience_ms);
}

static void keeper_let_go(struct vcpu_test *vt, unsigned int i)
{
	struct lock_keeper *k = &vt->keeper;
	DECLARE_VCPU_SET(asked);

	keeper_note_writes(vt);
	vcpu_test_asked_to_sleep(vt, asked);
	bitmap_or(k->asked_early, k->asked_early, asked, vt->nr_vcpus);
	__clear_bit(i, k->kept);
	__set_bit(i, k->waited);
	if (vt->kept_state)
		set_mp_state(vt, i, *vt->kept_state);
	arch_spin_unlock(raw_mp_state_lock(vt, i));
	keeper_be_patient(vt);
}

/*
 * The function neither returns nor waits where it can be seen: it tries a lock again
 * and again that it holds itself, or waits for its turn with a ticket lock that
 * was unlocked too often and serves later tickets. So unlock what is locked and, if
 * that doesn't help, go back by two: 16-bit tickets come round. Again in turn.
 */
static void keeper_set_free(struct vcpu_test *vt)
{
	unsigned int i, n;

	for (i = 0; i < vt->nr_vcpus; i++) {
		arch_spinlock_t *lock = raw_mp_state_lock(vt, i);

		if (vt->keeper.stuck % 2)
			for (n = 0; n < 2 * U16_MAX; n++)
				arch_spin_unlock(lock);
		else if (arch_spin_is_locked(lock))
			arch_spin_unlock(lock);
	}
	vt->keeper.stuck++;
}

/* Look once for somebody who waits. In hard interrupt or thread context. */
static void keeper_look(struct vcpu_test *vt)
{
	struct lock_keeper *k = &vt->keeper;
	bool late = ktime_after(ktime_get(), k->deadline);
	unsigned int kept = vt->nr_vcpus, other = vt->nr_vcpus, i;

	/* spin_is_contended() is constantly 0 on some riscv kernels. */
	for (i = 0; i < vt->nr_vcpus && kept == vt->nr_vcpus; i++) {
		if (!arch_spin_is_contended(raw_mp_state_lock(vt, i)))
			continue;
		if (test_bit(i, k->kept))
			kept = i;
		else if (other == vt->nr_vcpus)
			other = i;
	}

	/* Who takes a ticket has published what it wrote before. */
	smp_rmb();
	if (kept < vt->nr_vcpus) {
		keeper_let_go(vt, kept);
	} else if (late && keeps_any(vt)) {
		/* Looping on spin_trylock() doesn't show. Is it this one? */
		keeper_let_go(vt, find_first_bit(k->kept, vt->nr_vcpus));
		if (keeps_any(vt))
			keeper_set_deadline(k, NO_PATIENCE_MS);
	} else if (late) {
		free_patience_ms = NO_PATIENCE_MS;
		if (other < vt->nr_vcpus) {
			__set_bit(other, k->deadlocked);
			arch_spin_unlock(raw_mp_state_lock(vt, other));
		} else {
			keeper_set_free(vt);
		}
		keeper_be_patient(vt);
	}
}

/* Return: false if nobody is watched. */
static bool keeper_poll(void)
{
	struct vcpu_test *vt;
	unsigned long flags;

	raw_spin_lock_irqsave(&keeper.lock, flags);
	vt = keeper.watched;
	if (vt)
		keeper_look(vt);
	keeper.busy = vt && keeps_any(vt);
	raw_spin_unlock_irqrestore(&keeper.lock, flags);
	return vt;
}

static void keeper_tick(struct irq_work *tick)
{
	if (keeper_poll())
		irq_work_queue(tick);
}

static int keeper_thread(void *data)
{
	while (!kthread_should_stop()) {
		/* Whoever waits for a lock that is kept is not to wait for long. */
		if (keeper_poll() && keeper.busy) {
			cpu_relax();
			cond_resched();
		} else {
			/* Jiffies may stand still with the CPU that is watched. */
			ktime_t pause = ns_to_ktime(100 * NSEC_PER_USEC);

			set_current_state(TASK_IDLE);
			schedule_hrtimeout(&pause, HRTIMER_MODE_REL);
		}
	}
	return 0;
}

/* From another CPU, if there is one. */
static int keeper_init(void)
{
	struct task_struct *thread;

	if (!locks_spin() || num_online_cpus() == 1)
		return 0;
	keeper.cpu = cpumask_last(cpu_online_mask);
	thread = kthread_create_on_cpu(keeper_thread, NULL, keeper.cpu, "lock_keeper/%u");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	keeper.thread = thread;
	wake_up_process(thread);
	return 0;
}

static void keeper_exit(void)
{
	if (keeper.thread)
		kthread_stop(keeper.thread);
	keeper.thread = NULL;
}

static void keeper_begin(struct vcpu_test *vt)
{
	struct lock_keeper *k = &vt->keeper;
	unsigned int i;

	if (!locks_spin())
		return;
	raw_spin_lock_irq(&keeper.lock);
	for_each_set_bit(i, vt->keep, vt->nr_vcpus)
		arch_spin_lock(raw_mp_state_lock(vt, i));
	bitmap_copy(k->kept, vt->keep, vt->nr_vcpus);
	bitmap_zero(k->waited, vt->nr_vcpus);
	bitmap_zero(k->unguarded, vt->nr_vcpus);
	bitmap_zero(k->asked_early, vt->nr_vcpus);
	bitmap_zero(k->deadlocked, vt->nr_vcpus);
	k->stuck = 0;
	keeper_be_patient(vt);
	keeper.watched = vt;
	raw_spin_unlock_irq(&keeper.lock);
	if (!keeper.thread)
		irq_work_queue(&keeper.tick);
	else if (keeps_any(vt))
		wake_up_process(keeper.thread);
}

static void keeper_end(struct vcpu_test *vt)
{
	struct lock_keeper *k = &vt->keeper;
	unsigned int i;

	if (!locks_spin())
		return;
	raw_spin_lock_irq(&keeper.lock);
	keeper.watched = NULL;
	keeper_note_writes(vt);
	for_each_set_bit(i, k->kept, vt->nr_vcpus)
		arch_spin_unlock(raw_mp_state_lock(vt, i));
	bitmap_zero(k->kept, vt->nr_vcpus);
	raw_spin_unlock_irq(&keeper.lock);
}

static void keeper_leave(void *data)
{
	/* A function that crashed is watched still. */
	keeper_end(data);
	irq_work_sync(&keeper.tick);
}

/* From now on, look at who is watched. May sleep, and pins the calling thread. */
static void keeper_enter(struct kunit *test)
{
	unsigned int cpu = raw_smp_processor_id();

	if (!locks_spin())
		return;
	if (keeper.thread) {
		/* A function that waits with preemption off would shut it out. */
		if (cpu == keeper.cpu)
			cpu = cpumask_any_but(cpu_online_mask, cpu);
		KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(cpu)));
	}
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, keeper_leave, test->priv));
}

/**
 * vcpu_test_require_keeper() - Have the lock keeper keep all locks, or skip the case
 * @test: the case
 * @trial: does, watched, all that the case is going to do
 *
 * On a single CPU, waiting for a lock is safe only if the timer interrupt gets
 * through to the keeper; what @trial does with the locks tells.
 *
 * Context: may sleep; does not return if it skips.
 */
void vcpu_test_require_keeper(struct kunit *test, void (*trial)(struct kunit *test))
{
	struct vcpu_test *vt = test->priv;

	if (!locks_spin())
		kunit_skip(test, "needs CONFIG_SMP without CONFIG_PREEMPT_RT");
	if (!keeper.thread) {
		if (!vcpu_test_start_trace(test))
			kunit_skip(test, "one CPU: needs lockdep to tell if waiting is safe");
		trial(test);
		if (vt->irqs_off)
			kunit_skip(test, "one CPU: it would wait with interrupts off");
		if (vt->context_lost)
			kunit_skip(test, "one CPU: it changes preemption or interrupts");
		/* Its marks would be taken for writes. */
		kunit_release_action(test, lock_trace_stop, vt);
	}
	bitmap_copy(vt->keep, vt->all, vt->nr_vcpus);
}

/* The virtual machine */

KUNIT_DEFINE_ACTION_WRAPPER(vcpu_destroy, kvm_arch_vcpu_destroy, struct kvm_vcpu *);
KUNIT_DEFINE_ACTION_WRAPPER(vcpu_array_destroy, xa_destroy, struct xarray *);
KUNIT_DEFINE_ACTION_WRAPPER(free_array, kvfree, const void *);

/* An array that may be large, zeroed. */
static void *alloc_array(struct kunit *test, size_t n, size_t size)
{
	void *array = kvcalloc(n, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, array);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_array, array));
	return array;
}

/* With Ssnpm, the SBI's FWFT has a look at henvcfg for each vCPU that is created. */
static bool vcpus_can_be_created(void)
{
#ifdef RISCV_ISA_EXT_SSNPM
	return !riscv_isa_extension_available(NULL, SSNPM) ||
	       __riscv_isa_extension_available(NULL, 'h' - 'a');
#else
	return true;
#endif
}

static void create_vcpu(struct kunit *test, unsigned int i, struct kvm_run *run)
{
	struct vcpu_test *vt = test->priv;
	struct kvm_vcpu *vcpu = &vt->vcpu[i];

	/* As kvm_vm_ioctl_create_vcpu() does, with nobody to run it. */
	vcpu->kvm = &vt->kvm;
	vcpu->vcpu_id = vt->nr_vcpus - 1 - i;
	vcpu->vcpu_idx = i;
	vcpu->cpu = -1;
	vcpu->run = run;
	rcuwait_init(&vcpu->wait);
	KUNIT_ASSERT_EQ(test, 0, kvm_arch_vcpu_create(vcpu));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vcpu_destroy, vcpu));
	KUNIT_ASSERT_EQ(test, 0, xa_insert(&vt->kvm.vcpu_array, i, vcpu, GFP_KERNEL));
}

/**
 * vcpu_test_suite_init() - What a suite that uses this needs once
 * @suite: the suite, whose suite_init this is
 *
 * Context: may sleep.
 *
 * Return: 0, or why there is no thread for the lock keeper.
 */
int vcpu_test_suite_init(struct kunit_suite *suite)
{
	free_patience_ms = FREE_PATIENCE_MS;
	return keeper_init();
}

/**
 * vcpu_test_suite_exit() - Release what vcpu_test_suite_init() got
 * @suite: the suite, whose suite_exit this is
 *
 * Context: may sleep.
 */
void vcpu_test_suite_exit(struct kunit_suite *suite)
{
	keeper_exit();
}

/**
 * vcpu_test_init_vm() - Make a VM for a case
 * @test: the case, whose suite calls this in its init
 * @nr_vcpus: how many vCPUs it is to have
 *
 * Puts the VM into test->priv and has the lock keeper look on, which keeps no
 * lock before it is told to. All of it goes when the case ends. Context: may sleep.
 *
 * Return: 0; anything that goes wrong ends @test.
 */
int vcpu_test_init_vm(struct kunit *test, unsigned int nr_vcpus)
{
	struct vcpu_test *vt;
	struct xarray *vcpus;
	void *runs;
	unsigned int i;

	if (!vcpus_can_be_created())
		kunit_skip(test, "no hypervisor extension, but Ssnpm");

	vt = alloc_array(test, 1, sizeof(*vt));
	test->priv = vt;
	vt->nr_vcpus = nr_vcpus;
	bitmap_fill(vt->all, nr_vcpus);
	vt->vcpu = alloc_array(test, nr_vcpus, sizeof(*vt->vcpu));
	vt->record = alloc_array(test, nr_vcpus, sizeof(*vt->record));
	runs = alloc_array(test, nr_vcpus, PAGE_SIZE);

	mutex_init(&vt->kvm.lock);
	vcpus = &vt->kvm.vcpu_array;
	xa_init(vcpus);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vcpu_array_destroy, vcpus));
	for (i = 0; i < nr_vcpus; i++)
		create_vcpu(test, i, runs + i * PAGE_SIZE);
	atomic_set(&vt->kvm.online_vcpus, nr_vcpus);
	keeper_enter(test);

	/*
	 * Should this case hang, the log is to end with its name. KUnit's own
	 * last line has no newline yet, and printk() holds it back.
	 */
	kunit_info(test, "begins\n");
	return 0;
}

/**
 * vcpu_test_init() - Make a VM of NR_VCPUS vCPUs for a case
 * @test: the case, whose suite has this for its init
 *
 * Context: may sleep.
 *
 * Return: 0; anything that goes wrong ends @test.
 */
int vcpu_test_init(struct kunit *test)
{
	return vcpu_test_init_vm(test, NR_VCPUS);
}

/**
 * vcpu_test_prepare() - Put all vCPUs of the VM into the same state
 * @vt: the VM
 * @caller: a vCPU that is out of the guest, as its neighbour is
 * @state: mp_state of all
 *
 * No request is pending afterwards. Takes no lock.
 */
void vcpu_test_prepare(struct vcpu_test *vt, unsigned int caller, u32 state)
{
	unsigned int i;

	for (i = 0; i < vt->nr_vcpus; i++) {
		set_mp_state(vt, i, state);
		WRITE_ONCE(vt->vcpu[i].requests, 0);
		vt->vcpu[i].mode = IN_GUEST_MODE;
	}
	vt->vcpu[caller].mode = OUTSIDE_GUEST_MODE;
	vt->vcpu[(caller + 1) % vt->nr_vcpus].mode = OUTSIDE_GUEST_MODE;
}

/* Watching */

/*
 * Taking a ticket lock changes it for good, a queued one only until it's free.
 * To see a lock taken by that needs neither lockdep nor a second CPU.
 */
static void copy_raw_locks(struct vcpu_test *vt)
{
	unsigned int i;

	for (i = 0; i < vt->nr_vcpus && !IS_ENABLED(CONFIG_PREEMPT_RT); i++)
		vt->record[i].raw_lock = *raw_mp_state_lock(vt, i);
}

static bool raw_lock_changed(struct vcpu_test *vt, unsigned int i)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) &&
	       memcmp(&vt->record[i].raw_lock, raw_mp_state_lock(vt, i), sizeof(arch_spinlock_t));
}

/**
 * vcpu_test_taking_shows() - Can a lock that was taken be told without lock events?
 * @vt: the VM
 *
 * Return: true if it is not the same afterwards.
 */
bool vcpu_test_taking_shows(struct vcpu_test *vt)
{
	copy_raw_locks(vt);
	spin_lock(&vt->vcpu[0].arch.mp_state_lock);
	spin_unlock(&vt->vcpu[0].arch.mp_state_lock);
	return raw_lock_changed(vt, 0);
}

static void release_leaked_locks(struct vcpu_test *vt)
{
	unsigned int i;

	bitmap_zero(vt->unreleased, vt->nr_vcpus);
	for (i = 0; i < vt->nr_vcpus; i++) {
		spinlock_t *lock = &vt->vcpu[i].arch.mp_state_lock;

		if (!spin_trylock(lock)) {
			__set_bit(i, vt->unreleased);
			/* For sparse: whoever was watched took it. */
			__acquire(lock);
			spin_unlock(lock);
			/* One unlock too many doesn't leave it free either. */
			spin_lock_init(lock);
		} else {
			spin_unlock(lock);
		}
	}
	if (mutex_is_locked(&vt->kvm.lock)) {
		vt->context_changed = true;
		mutex_unlock(&vt->kvm.lock);
	}
}

/**
 * vcpu_test_watch() - Call a function under both observers
 * @test: the case
 * @what: the name of what @act does, for messages
 * @caller: the vCPU that does it
 * @act: calls the function
 *
 * What the observers saw is in @test's struct vcpu_test afterwards. Whatever locks
 * @act left behind are put right, so that the case can go on and report it; a
 * deadlock ends the case. Context: may sleep; @act itself runs as it is called.
 */
void vcpu_test_watch(struct kunit *test, const char *what, unsigned int caller,
		     void (*act)(struct vcpu_test *vt))
{
	struct vcpu_test *vt = test->priv;
	struct lock_keeper *k = &vt->keeper;
	struct lock_trace *t = &vt->trace;
	ktime_t began;
	int preempt;
	unsigned int i;

	vt->what = what;
	vt->caller = caller;
	memset_after(t, 0, release);
	for (i = 0; i < vt->nr_vcpus; i++) {
		vt->record[i].before = mp_state(vt, i);
		vt->record[i].seen = vt->record[i].before;
		vt->record[i].marks = 0;
	}

	keeper_begin(vt);
	copy_raw_locks(vt);
	preempt = preempt_count();
	WRITE_ONCE(t->task, current);
	began = ktime_get();

	act(vt);

	vt->duration = ktime_sub(ktime_get(), began);
	WRITE_ONCE(t->task, NULL);
	trace_states(vt, 0, vt->nr_vcpus, _THIS_IP_);
	bitmap_copy(vt->taken, t->taken, vt->nr_vcpus);
	for (i = 0; i < vt->nr_vcpus; i++)
		if (raw_lock_changed(vt, i))
			__set_bit(i, vt->taken);
	vt->irqs_off |= t->irqs_off;
	vt->context_changed = preempt_count() != preempt || irqs_disabled();
	vt->context_lost |= vt->context_changed;
	if (irqs_disabled())
		local_irq_enable();
	keeper_end(vt);
	release_leaked_locks(vt);
	preempt_count_set(preempt);

	if (!bitmap_empty(k->deadlocked, vt->nr_vcpus))
		KUNIT_FAIL_AND_ABORT(test,
				     "%s by vCPU %u: deadlock, it waited for the mp_state_lock of vCPU %*pbl while holding it",
				     what, caller, vt->nr_vcpus, k->deadlocked);
	if (k->stuck)
		KUNIT_FAIL_AND_ABORT(test,
				     "%s by vCPU %u: deadlock, it went on when every mp_state_lock was set free",
				     what, caller);
}

/* What is expected of whatever was watched */

/**
 * vcpu_test_expect_none() - Fail if a set of vCPUs is not empty
 * @test: the case
 * @vcpus: the set
 * @what: what is wrong with its members
 */
void vcpu_test_expect_none(struct kunit *test, const unsigned long *vcpus, const char *what)
{
	struct vcpu_test *vt = test->priv;

	if (!bitmap_empty(vcpus, vt->nr_vcpus))
		KUNIT_FAIL(test, "%s by vCPU %u: %s vCPU %*pbl",
			   vt->what, vt->caller, what, vt->nr_vcpus, vcpus);
}

/**
 * vcpu_test_expect_within() - Fail if a set of vCPUs exceeds another one
 * @test: the case
 * @vcpus: the set
 * @limit: whatever may be in it
 * @what: what is wrong with its other members
 */
void vcpu_test_expect_within(struct kunit *test, const unsigned long *vcpus,
			     const unsigned long *limit, const char *what)
{
	struct vcpu_test *vt = test->priv;
	DECLARE_VCPU_SET(wrong);

	bitmap_andnot(wrong, vcpus, limit, vt->nr_vcpus);
	vcpu_test_expect_none(test, wrong, what);
}

/**
 * vcpu_test_expect_guarded() - Each write was under the lock of the vCPU written
 * @test: the case, which has the lock trace
 */
void vcpu_test_expect_guarded(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	unsigned long *unguarded = vt->trace.unguarded;
	unsigned int i, more = bitmap_weight(unguarded, vt->nr_vcpus), reported = 0;

	for_each_set_bit(i, unguarded, vt->nr_vcpus) {
		if (reported++ == MAX_REPORTS) {
			KUNIT_FAIL(test, "%s by vCPU %u: the same for %u more vCPUs",
				   vt->what, vt->caller, more);
			break;
		}
		more--;
		KUNIT_FAIL(test,
			   "%s by vCPU %u: mp_state of vCPU %u written under the mp_state_lock of vCPU [%*pbl], expected its own; seen at %pS",
			   vt->what, vt->caller, i, vt->nr_vcpus, vt->record[i].locks,
			   (void *)vt->record[i].ip);
	}
}

/**
 * vcpu_test_expect_waited() - Each write came after a wait for the vCPU's lock
 * @test: the case, which has the lock keeper
 * @targets: the vCPUs whose lock had to be waited for
 */
void vcpu_test_expect_waited(struct kunit *test, const unsigned long *targets)
{
	struct vcpu_test *vt = test->priv;
	struct lock_keeper *k = &vt->keeper;

	vcpu_test_expect_none(test, k->unguarded,
			      "somebody else held the mp_state_lock at the write of mp_state of");
	vcpu_test_expect_within(test, targets, k->waited,
				"did not wait for the mp_state_lock of");
	vcpu_test_expect_none(test, k->asked_early,
			      "KVM_REQ_SLEEP came before every lock was taken, for");
}

/**
 * vcpu_test_expect_one_lock() - No two mp_state_locks were held at a time
 * @test: the case, which has the lock trace
 */
void vcpu_test_expect_one_lock(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;

	if (vt->trace.most_held > 1)
		vcpu_test_expect_none(test, vt->trace.held_together,
				      "held at the same time the mp_state_locks of");
}

/**
 * vcpu_test_expect_nothing_held() - Every lock was left free, the caller as it was
 * @test: the case
 */
void vcpu_test_expect_nothing_held(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;

	vcpu_test_expect_none(test, vt->unreleased,
			      "not free afterwards: the mp_state_lock of");
	KUNIT_EXPECT_FALSE_MSG(test, vt->context_changed,
			       "%s by vCPU %u: preemption, interrupts or kvm->lock are not as they were",
			       vt->what, vt->caller);
}

/**
 * vcpu_test_mark_runs() - Fill every kvm_run, so that whatever is written shows
 * @vt: the VM
 */
void vcpu_test_mark_runs(struct vcpu_test *vt)
{
	unsigned int i;

	for (i = 0; i < vt->nr_vcpus; i++)
		memset(vt->vcpu[i].run, RUN_MARK, PAGE_SIZE);
}

/* The first byte that differs, or PAGE_SIZE. */
static unsigned int differing_byte(const struct kvm_run *a, const struct kvm_run *b)
{
	unsigned int i;

	for (i = 0; i < PAGE_SIZE; i++)
		if (((u8 *)a)[i] != ((u8 *)b)[i])
			break;
	return i;
}

/**
 * vcpu_test_expect_event() - The caller's kvm_run carries a system event
 * @test: the case, which called vcpu_test_mark_runs() before
 * @type: KVM_SYSTEM_EVENT_*, or 0 if there is to be no event
 * @reason: what goes with it
 *
 * No other byte of any vCPU's kvm_run may have changed. Context: may sleep.
 */
void vcpu_test_expect_event(struct kunit *test, u32 type, u64 reason)
{
	struct vcpu_test *vt = test->priv;
	struct kvm_run *expected;
	unsigned int i, byte;

	expected = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, expected);
	for (i = 0; i < vt->nr_vcpus; i++) {
		memset(expected, RUN_MARK, PAGE_SIZE);
		if (type && i == vt->caller) {
			expected->exit_reason = KVM_EXIT_SYSTEM_EVENT;
			memset(&expected->system_event, 0, sizeof(expected->system_event));
			expected->system_event.type = type;
			expected->system_event.ndata = 1;
			expected->system_event.data[0] = reason;
		}
		byte = differing_byte(vt->vcpu[i].run, expected);
		if (byte < PAGE_SIZE)
			KUNIT_FAIL(test,
				   "%s by vCPU %u: byte %u of kvm_run of vCPU %u is 0x%02x, expected 0x%02x",
				   vt->what, vt->caller, byte, i,
				   ((u8 *)vt->vcpu[i].run)[byte], ((u8 *)expected)[byte]);
	}
	kunit_kfree(test, expected);
}
