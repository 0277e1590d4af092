// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite for kvm_riscv_vcpu_sbi_system_reset().
 *
 * The SBI system reset (SRST) of one vCPU stops every vCPU of the VM. The rule
 * under test: a vCPU's mp_state is written only while that vCPU's own
 * mp_state_lock is held. See "vcpu->arch.mp_state_lock" in
 * Documentation/virt/kvm/locking.rst.
 *
 * The end state is the same whichever lock is held, so looking at the vCPUs
 * afterwards shows nothing. Two observers look while the reset runs:
 *
 * - The lock trace, a probe on lockdep's tracepoints, follows which
 *   mp_state_locks the calling task holds, and at each lock event looks for
 *   states that have changed since the one before. Between two events the set
 *   of held locks is constant, so every change is matched with the locks held.
 *
 * - The lock keeper holds every mp_state_lock when the reset begins and lets
 *   one go only when the reset waits for it. A state that changes while its
 *   lock is still kept was written without that lock. This needs somebody to
 *   look while the reset spins: a thread on another CPU or, if there is none,
 *   the timer interrupt.
 *
 * The keeper also frees a reset that waits for a lock which it holds itself.
 *
 * The vCPUs are real, made by kvm_arch_vcpu_create(), but belong to no file
 * descriptor and never enter a guest.
 */

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>
#include <trace/events/lock.h>

#include <asm/kvm_vcpu_sbi.h>

#define NR_VCPUS	4
#define ALL_VCPUS	GENMASK(NR_VCPUS - 1, 0)

/* A state that KVM never writes, so that whatever it writes next shows. */
#define MP_STATE_MARK	0xa5a5a5a5U
#define RUN_MARK	0xa5

/* How long a reset may be waiting for a lock that nobody will let go. */
#define KEEPER_PATIENCE_MS	2500

/* Sets of vCPUs, such as those whose lock is held, have bit i for vCPU i. */

/* What @task did with the locks during a reset. */
struct lock_trace {
	struct tracepoint *acquire, *release;
	struct task_struct *task;	/* NULL while no reset runs */
	unsigned long held;		/* whose lock is held now */
	unsigned long held_together;	/* whose were held when most were */
	unsigned long written;		/* whose state has changed */
	unsigned long unguarded;	/* ... while its lock was not held */
	unsigned long asked_early;	/* asked to sleep before a write */
	unsigned long marked;		/* whose state became MP_STATE_MARK */
	bool irqs_off;			/* a lock was taken with interrupts off */
	u32 seen[NR_VCPUS];		/* each state at the last look */
	unsigned long locks[NR_VCPUS];	/* what was held at an unguarded write */
	unsigned long ip[NR_VCPUS];	/* the lock event after that */
};

/* Whose lock is kept until somebody waits for it, and what came of it. */
struct lock_keeper {
	raw_spinlock_t lock;		/* guards what follows */
	bool active;			/* a reset runs */
	unsigned long kept;		/* whose lock is kept now */
	unsigned long waited;		/* whose lock was waited for */
	unsigned long unguarded;	/* whose state changed while it was kept */
	unsigned long asked_early;	/* asked to sleep while one was kept */
	unsigned long deadlocked;	/* whose lock the reset took twice */
	ktime_t deadline;		/* when patience ends */
	struct irq_work tick;		/* looks for waiters on the only CPU */
	struct task_struct *thread;	/* or from another CPU */
};

struct reset_test {
	struct kvm kvm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct lock_trace trace;
	struct lock_keeper keeper;
	unsigned long keep;		/* whose lock to keep from the reset */
	unsigned long unreleased;	/* whose lock the reset left held */
	bool context_changed;		/* preempt count or interrupts differ */
};

static u32 mp_state(struct reset_test *rt, unsigned int i)
{
	return READ_ONCE(rt->vcpu[i]->arch.mp_state.mp_state);
}

static void set_mp_state(struct reset_test *rt, unsigned int i, u32 state)
{
	WRITE_ONCE(rt->vcpu[i]->arch.mp_state.mp_state, state);
}

static unsigned long asked_to_sleep(struct reset_test *rt)
{
	unsigned long asked = 0;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		if (kvm_test_request(KVM_REQ_SLEEP, rt->vcpu[i]))
			asked |= BIT(i);
	return asked;
}

/* The lock trace */

static void trace_writes(struct reset_test *rt, unsigned long ip)
{
	struct lock_trace *t = &rt->trace;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		u32 state = mp_state(rt, i);

		if (state == t->seen[i])
			continue;
		t->seen[i] = state;
		t->written |= BIT(i);
		t->asked_early |= asked_to_sleep(rt);
		if (t->held & BIT(i) || t->unguarded & BIT(i))
			continue;
		t->unguarded |= BIT(i);
		t->locks[i] = t->held;
		t->ip[i] = ip;
	}
}

#if defined(CONFIG_LOCKDEP) && defined(CONFIG_TRACEPOINTS)

static unsigned long mp_state_lock_bit(struct reset_test *rt,
				       struct lockdep_map *map)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		if (map == &rt->vcpu[i]->arch.mp_state_lock.dep_map)
			return BIT(i);
	return 0;
}

/* Interrupts take no mp_state_lock; what they do belongs to no interval. */
static bool traced(struct reset_test *rt)
{
	return READ_ONCE(rt->trace.task) == current && in_task();
}

/* Lockdep announces a lock before it's waited for, a trylock after success. */
static void probe_lock_acquire(void *data, struct lockdep_map *map,
			       unsigned int subclass, int trylock, int read,
			       int check, struct lockdep_map *nest_lock,
			       unsigned long ip)
{
	struct reset_test *rt = data;
	struct lock_trace *t = &rt->trace;
	unsigned long bit;

	if (!traced(rt))
		return;
	trace_writes(rt, ip);
	bit = mp_state_lock_bit(rt, map);
	if (!bit)
		return;
	t->held |= bit;
	if (hweight_long(t->held) > hweight_long(t->held_together))
		t->held_together = t->held;
	t->irqs_off |= irqs_disabled();
}

static void probe_lock_release(void *data, struct lockdep_map *map,
			       unsigned long ip)
{
	struct reset_test *rt = data;
	struct lock_trace *t = &rt->trace;
	unsigned long bit;
	unsigned int i;

	if (!traced(rt))
		return;
	trace_writes(rt, ip);
	bit = mp_state_lock_bit(rt, map);
	t->held &= ~bit;

	/* Writing the same state once more would not show: mark it, once. */
	if (!(bit & t->written & ~t->marked))
		return;
	t->marked |= bit;
	i = __ffs(bit);
	t->seen[i] = MP_STATE_MARK;
	set_mp_state(rt, i, MP_STATE_MARK);
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
	struct reset_test *rt = data;

	tracepoint_probe_unregister(rt->trace.acquire, probe_lock_acquire, rt);
	tracepoint_probe_unregister(rt->trace.release, probe_lock_release, rt);
	tracepoint_synchronize_unregister();
}

/* Follow the locks of every reset of this case from now on. May sleep. */
static bool lock_trace_start(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_trace *t = &rt->trace;
	int err;

	check_trace_callback_type_lock_acquire(probe_lock_acquire);
	check_trace_callback_type_lock_release(probe_lock_release);

	for_each_kernel_tracepoint(find_lock_tracepoints, t);
	if (!t->acquire || !t->release)
		return false;
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(t->acquire, probe_lock_acquire, rt));
	err = tracepoint_probe_register(t->release, probe_lock_release, rt);
	if (err)
		tracepoint_probe_unregister(t->acquire, probe_lock_acquire, rt);
	KUNIT_ASSERT_EQ(test, 0, err);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, lock_trace_stop, rt));
	return true;
}

#else

static bool lock_trace_start(struct kunit *test)
{
	return false;
}

#endif

static void require_lock_trace(struct kunit *test)
{
	if (!lock_trace_start(test))
		kunit_skip(test, "needs CONFIG_LOCKDEP (PROVE_LOCKING) and CONFIG_TRACEPOINTS");
}

/* The lock keeper */

static bool locks_spin(void)
{
	return IS_ENABLED(CONFIG_SMP) && !IS_ENABLED(CONFIG_PREEMPT_RT);
}

/*
 * The spinlock below lockdep: the keeper must not be taken for its holder, or
 * lockdep would report the reset for a deadlock.
 */
static arch_spinlock_t *raw_mp_state_lock(struct reset_test *rt, unsigned int i)
{
#ifdef CONFIG_PREEMPT_RT
	return NULL;
#else
	return &rt->vcpu[i]->arch.mp_state_lock.rlock.raw_lock;
#endif
}

static void keeper_note_writes(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned int i;

	for_each_set_bit(i, &k->kept, NR_VCPUS)
		if (mp_state(rt, i) != KVM_MP_STATE_RUNNABLE)
			k->unguarded |= BIT(i);
}

static void keeper_let_go(struct reset_test *rt, unsigned int i)
{
	struct lock_keeper *k = &rt->keeper;

	k->kept &= ~BIT(i);
	k->waited |= BIT(i);
	k->deadline = ktime_add_ms(ktime_get(), KEEPER_PATIENCE_MS);
	arch_spin_unlock(raw_mp_state_lock(rt, i));
}

/* Look once for somebody who waits. In hard interrupt or thread context. */
static void keeper_look(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	bool late = ktime_after(ktime_get(), k->deadline);
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		arch_spinlock_t *lock = raw_mp_state_lock(rt, i);

		/* spin_is_contended() is constantly 0 on some riscv kernels. */
		if (!arch_spin_is_contended(lock))
			continue;
		/* Pairs with the lock operation of whoever waits. */
		smp_rmb();
		if (k->kept & BIT(i)) {
			keeper_note_writes(rt);
			k->asked_early |= asked_to_sleep(rt);
			keeper_let_go(rt, i);
			return;
		}
		if (late) {
			k->deadlocked |= BIT(i);
			arch_spin_unlock(lock);
			return;
		}
	}

	/* It doesn't return, but isn't seen either: it may loop on spin_trylock(). */
	if (late && k->kept) {
		keeper_note_writes(rt);
		for_each_set_bit(i, &k->kept, NR_VCPUS)
			keeper_let_go(rt, i);
	}
}

static bool keeper_poll(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned long flags;
	bool active;

	raw_spin_lock_irqsave(&k->lock, flags);
	active = k->active;
	if (active)
		keeper_look(rt);
	raw_spin_unlock_irqrestore(&k->lock, flags);
	return active;
}

static void keeper_tick(struct irq_work *tick)
{
	if (keeper_poll(container_of(tick, struct reset_test, keeper.tick)))
		irq_work_queue(tick);
}

static int keeper_thread(void *data)
{
	while (!kthread_should_stop()) {
		keeper_poll(data);
		usleep_range(50, 100);
	}
	return 0;
}

static void keeper_begin(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned int i;

	if (!locks_spin())
		return;
	raw_spin_lock_irq(&k->lock);
	for_each_set_bit(i, &rt->keep, NR_VCPUS)
		arch_spin_lock(raw_mp_state_lock(rt, i));
	k->kept = rt->keep;
	k->waited = 0;
	k->unguarded = 0;
	k->asked_early = 0;
	k->deadlocked = 0;
	k->deadline = ktime_add_ms(ktime_get(), KEEPER_PATIENCE_MS);
	k->active = true;
	raw_spin_unlock_irq(&k->lock);
	if (!k->thread)
		irq_work_queue(&k->tick);
}

static void keeper_end(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned int i;

	if (!locks_spin())
		return;
	raw_spin_lock_irq(&k->lock);
	k->active = false;
	keeper_note_writes(rt);
	for_each_set_bit(i, &k->kept, NR_VCPUS)
		arch_spin_unlock(raw_mp_state_lock(rt, i));
	k->kept = 0;
	raw_spin_unlock_irq(&k->lock);
}

static void keeper_stop(void *data)
{
	struct reset_test *rt = data;

	/* A reset that crashed has left it active. */
	keeper_end(rt);
	if (rt->keeper.thread)
		kthread_stop(rt->keeper.thread);
	else
		irq_work_sync(&rt->keeper.tick);
}

/* Have resets looked at from now on. May sleep, and pins the calling thread. */
static void keeper_start(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_keeper *k = &rt->keeper;
	unsigned int cpu = raw_smp_processor_id();
	struct task_struct *thread;

	if (!locks_spin())
		return;
	raw_spin_lock_init(&k->lock);
	if (num_online_cpus() > 1) {
		/* With preemption off, a reset that waits would shut it out. */
		KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(cpu)));
		cpu = cpumask_any_but(cpu_online_mask, cpu);
		thread = kthread_create_on_cpu(keeper_thread, rt, cpu, "lock_keeper/%u");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
		k->thread = thread;
		wake_up_process(thread);
	} else {
		/* Lazy work is left to the timer interrupt. */
		k->tick = IRQ_WORK_INIT_LAZY(keeper_tick);
	}
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, keeper_stop, rt));
}

/* The virtual machine */

KUNIT_DEFINE_ACTION_WRAPPER(vcpu_destroy, kvm_arch_vcpu_destroy, struct kvm_vcpu *);
KUNIT_DEFINE_ACTION_WRAPPER(vcpu_array_destroy, xa_destroy, struct xarray *);

static struct kvm_vcpu *create_vcpu(struct kunit *test, struct kvm *kvm,
				    unsigned int id)
{
	struct kvm_vcpu *vcpu;

	vcpu = kunit_kzalloc(test, sizeof(*vcpu), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vcpu);
	vcpu->run = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vcpu->run);

	/* As kvm_vm_ioctl_create_vcpu() does, with nobody to run it. */
	vcpu->kvm = kvm;
	vcpu->vcpu_id = id;
	vcpu->vcpu_idx = id;
	vcpu->cpu = -1;
	rcuwait_init(&vcpu->wait);
	KUNIT_ASSERT_EQ(test, 0, kvm_arch_vcpu_create(vcpu));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vcpu_destroy, vcpu));
	return vcpu;
}

static int reset_test_init(struct kunit *test)
{
	struct reset_test *rt;
	struct xarray *vcpus;
	unsigned int i;

	rt = kunit_kzalloc(test, sizeof(*rt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rt);
	test->priv = rt;

	mutex_init(&rt->kvm.lock);
	vcpus = &rt->kvm.vcpu_array;
	xa_init(vcpus);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vcpu_array_destroy, vcpus));
	for (i = 0; i < NR_VCPUS; i++) {
		rt->vcpu[i] = create_vcpu(test, &rt->kvm, i);
		KUNIT_ASSERT_EQ(test, 0, xa_insert(vcpus, i, rt->vcpu[i], GFP_KERNEL));
	}
	atomic_set(&rt->kvm.online_vcpus, NR_VCPUS);
	keeper_start(test);

	/*
	 * Should this case hang, the log is to end with its name. KUnit's own
	 * last line has no newline yet, and printk() holds it back.
	 */
	kunit_info(test, "begins\n");
	return 0;
}

/* Nobody stopped nor asked to sleep, @caller and its neighbour out of the guest. */
static void make_all_runnable(struct reset_test *rt, unsigned int caller)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		set_mp_state(rt, i, KVM_MP_STATE_RUNNABLE);
		kvm_clear_request(KVM_REQ_SLEEP, rt->vcpu[i]);
		rt->vcpu[i]->mode = IN_GUEST_MODE;
	}
	rt->vcpu[caller]->mode = OUTSIDE_GUEST_MODE;
	rt->vcpu[(caller + 1) % NR_VCPUS]->mode = OUTSIDE_GUEST_MODE;
}

static void release_leaked_locks(struct reset_test *rt)
{
	unsigned int i;

	rt->unreleased = 0;
	for (i = 0; i < NR_VCPUS; i++) {
		spinlock_t *lock = &rt->vcpu[i]->arch.mp_state_lock;

		if (!spin_trylock(lock)) {
			rt->unreleased |= BIT(i);
			spin_unlock(lock);
			/* One unlock too many doesn't leave it free either. */
			spin_lock_init(lock);
		} else {
			spin_unlock(lock);
		}
	}
}

/*
 * Let vCPU @caller reset the VM under both observers. Whatever the reset left
 * behind is put right, so that the case can go on and report it.
 */
static void system_reset(struct kunit *test, unsigned int caller, u32 type, u64 reason)
{
	struct reset_test *rt = test->priv;
	struct kvm_vcpu *vcpu = rt->vcpu[caller];
	struct lock_trace *t = &rt->trace;
	unsigned int i;
	int preempt;

	memset_after(t, 0, release);
	for (i = 0; i < NR_VCPUS; i++)
		t->seen[i] = mp_state(rt, i);

	keeper_begin(rt);
	preempt = preempt_count();
	WRITE_ONCE(t->task, current);

	kvm_riscv_vcpu_sbi_system_reset(vcpu, vcpu->run, type, reason);

	trace_writes(rt, _THIS_IP_);
	WRITE_ONCE(t->task, NULL);
	rt->context_changed = preempt_count() != preempt || irqs_disabled();
	if (irqs_disabled())
		local_irq_enable();
	keeper_end(rt);
	release_leaked_locks(rt);
	preempt_count_set(preempt);

	if (rt->keeper.deadlocked)
		KUNIT_FAIL_AND_ABORT(test,
				     "reset by vCPU %u: deadlock, it waited for the mp_state_lock of vCPU %*pbl while holding it",
				     caller, NR_VCPUS, &rt->keeper.deadlocked);
}

static void system_shutdown(struct kunit *test, unsigned int caller)
{
	make_all_runnable(test->priv, caller);
	system_reset(test, caller, KVM_SYSTEM_EVENT_SHUTDOWN, 0);
}

/* Fail if there is a vCPU in @vcpus, of which @what is true. */
static void expect_none(struct kunit *test, unsigned int caller,
			unsigned long vcpus, const char *what)
{
	if (vcpus)
		KUNIT_FAIL(test, "reset by vCPU %u: %s vCPU %*pbl",
			   caller, what, NR_VCPUS, &vcpus);
}

/* The cases */

/* Each write happens under the lock of the vCPU that is written. */
static void reset_holds_lock_of_target(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_trace *t = &rt->trace;
	unsigned int caller, i;

	require_lock_trace(test);
	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		for_each_set_bit(i, &t->unguarded, NR_VCPUS)
			KUNIT_FAIL(test,
				   "reset by vCPU %u: mp_state of vCPU %u written under the mp_state_lock of vCPU [%*pbl], expected its own; seen at %pS",
				   caller, i, NR_VCPUS, &t->locks[i], (void *)t->ip[i]);
		expect_none(test, caller, ALL_VCPUS & ~t->written,
			    "no write seen to mp_state of");
	}
}

/* No write before the reset has waited for that vCPU's lock to come free. */
static void reset_waits_for_lock_of_target(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_keeper *k = &rt->keeper;
	unsigned int caller;

	if (!locks_spin())
		kunit_skip(test, "needs CONFIG_SMP without CONFIG_PREEMPT_RT");
	if (!k->thread) {
		/* With interrupts off, it would wait for the keeper forever. */
		if (!lock_trace_start(test))
			kunit_skip(test, "one CPU: needs lockdep to tell if waiting is safe");
		system_shutdown(test, 0);
		if (rt->trace.irqs_off)
			kunit_skip(test, "one CPU: the reset waits with interrupts off");
	}

	rt->keep = ALL_VCPUS;
	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		expect_none(test, caller, k->unguarded,
			    "somebody else held the mp_state_lock at the write of mp_state of");
		expect_none(test, caller, ALL_VCPUS & ~k->waited,
			    "did not wait for the mp_state_lock of");
		expect_none(test, caller, k->asked_early,
			    "KVM_REQ_SLEEP came before every lock was taken, for");
	}
}

/* mp_state_locks have no order among themselves, so no two are held at a time. */
static void reset_holds_one_lock_at_a_time(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_trace *t = &rt->trace;
	unsigned int caller;

	require_lock_trace(test);
	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		if (hweight_long(t->held_together) > 1)
			expect_none(test, caller, t->held_together,
				    "held at the same time the mp_state_locks of");
	}
}

/* Every lock is free afterwards, and the caller is where it was. */
static void reset_releases_every_lock(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned int caller;

	if (!IS_ENABLED(CONFIG_SMP) && !IS_ENABLED(CONFIG_DEBUG_SPINLOCK))
		kunit_skip(test, "needs CONFIG_SMP or CONFIG_DEBUG_SPINLOCK");
	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		expect_none(test, caller, rt->unreleased,
			    "not free afterwards: the mp_state_lock of");
		KUNIT_EXPECT_FALSE_MSG(test, rt->context_changed,
				       "reset by vCPU %u: preemption or interrupts are not as they were",
				       caller);
	}
}

/* Whatever states the vCPUs were in, all of them end stopped. */
static void reset_stops_every_vcpu(struct kunit *test)
{
	static const unsigned long stopped[] = { 0, BIT(0) | BIT(2), BIT(1) | BIT(3), ALL_VCPUS };
	struct reset_test *rt = test->priv;
	unsigned int caller, n, i;

	for (caller = 0; caller < NR_VCPUS; caller++) {
		for (n = 0; n < ARRAY_SIZE(stopped); n++) {
			make_all_runnable(rt, caller);
			for_each_set_bit(i, &stopped[n], NR_VCPUS)
				set_mp_state(rt, i, KVM_MP_STATE_STOPPED);

			system_reset(test, caller, KVM_SYSTEM_EVENT_SHUTDOWN, 0);
			for (i = 0; i < NR_VCPUS; i++)
				KUNIT_EXPECT_EQ_MSG(test, mp_state(rt, i), KVM_MP_STATE_STOPPED,
						    "reset by vCPU %u, vCPU [%*pbl] stopped before: mp_state of vCPU %u",
						    caller, NR_VCPUS, &stopped[n], i);
		}
	}
}

/*
 * KVM_REQ_SLEEP makes a vCPU look at its mp_state. Nobody is asked to before
 * all states are written: a vCPU that still runs may start one that sleeps.
 */
static void reset_requests_sleep_after_last_write(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned int caller;

	require_lock_trace(test);
	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		expect_none(test, caller, rt->trace.asked_early,
			    "KVM_REQ_SLEEP came before the last mp_state was written, for");
	}
}

/* Wherever a vCPU is, it is asked to sleep; in the guest, it is told to leave. */
static void reset_requests_sleep_of_every_vcpu(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned long in_guest;
	unsigned int caller, i;

	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		expect_none(test, caller, ALL_VCPUS & ~asked_to_sleep(rt),
			    "KVM_REQ_SLEEP did not come for");
		in_guest = 0;
		for (i = 0; i < NR_VCPUS; i++)
			if (rt->vcpu[i]->mode == IN_GUEST_MODE)
				in_guest |= BIT(i);
		expect_none(test, caller, in_guest, "not told to leave the guest:");
	}
}

static const struct system_event {
	const char *name;
	u32 type;
	u64 reason;
} system_events[] = {
	{ "shutdown", KVM_SYSTEM_EVENT_SHUTDOWN, 0 },
	{ "reset", KVM_SYSTEM_EVENT_RESET, 1 },
	{ "64-bit reason", KVM_SYSTEM_EVENT_RESET, 0xfedcba9876543210ULL },
};

KUNIT_ARRAY_PARAM_DESC(system_event, system_events, name);

/* The caller's kvm_run carries the event, and nothing else has changed. */
static void reset_reports_system_event(struct kunit *test)
{
	const struct system_event *event = test->param_value;
	struct reset_test *rt = test->priv;
	struct kvm_run *expected;
	unsigned int caller, i, byte;

	expected = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, expected);

	for (caller = 0; caller < NR_VCPUS; caller++) {
		make_all_runnable(rt, caller);
		for (i = 0; i < NR_VCPUS; i++)
			memset(rt->vcpu[i]->run, RUN_MARK, PAGE_SIZE);

		system_reset(test, caller, event->type, event->reason);
		for (i = 0; i < NR_VCPUS; i++) {
			const u8 *run = (u8 *)rt->vcpu[i]->run;

			memset(expected, RUN_MARK, PAGE_SIZE);
			if (i == caller) {
				expected->exit_reason = KVM_EXIT_SYSTEM_EVENT;
				memset(&expected->system_event, 0, sizeof(expected->system_event));
				expected->system_event.type = event->type;
				expected->system_event.ndata = 1;
				expected->system_event.data[0] = event->reason;
			}
			for (byte = 0; byte < PAGE_SIZE; byte++)
				if (run[byte] != ((u8 *)expected)[byte])
					break;
			if (byte < PAGE_SIZE)
				KUNIT_FAIL(test,
					   "reset by vCPU %u: byte %u of kvm_run of vCPU %u is 0x%02x, expected 0x%02x",
					   caller, byte, i, run[byte], ((u8 *)expected)[byte]);
		}
	}
}

static struct kunit_case reset_test_cases[] = {
	KUNIT_CASE(reset_holds_lock_of_target),
	KUNIT_CASE(reset_waits_for_lock_of_target),
	KUNIT_CASE(reset_holds_one_lock_at_a_time),
	KUNIT_CASE(reset_releases_every_lock),
	KUNIT_CASE(reset_stops_every_vcpu),
	KUNIT_CASE(reset_requests_sleep_after_last_write),
	KUNIT_CASE(reset_requests_sleep_of_every_vcpu),
	KUNIT_CASE_PARAM(reset_reports_system_event, system_event_gen_params),
	{}
};

static struct kunit_suite reset_test_suite = {
	.name = "riscv_kvm_vcpu_sbi",
	.init = reset_test_init,
	.test_cases = reset_test_cases,
};

kunit_test_suite(reset_test_suite);
