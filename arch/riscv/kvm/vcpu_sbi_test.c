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
 * descriptor and never enter a guest. They go by their index here, from which
 * their id differs.
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

/* How often a state becomes MP_STATE_MARK; the reset may look until it's stopped. */
#define MAX_MARKS	8

/*
 * How long a reset that isn't seen to wait may take to get on: while a lock is
 * kept, while none is, and once a reset has deadlocked.
 */
#define KEPT_PATIENCE_MS	1000
#define FREE_PATIENCE_MS	5000
#define NO_PATIENCE_MS		100

static const struct system_event {
	const char *name;
	u32 type;
	u64 reason;
} system_events[] = {
	{ "shutdown", KVM_SYSTEM_EVENT_SHUTDOWN, 1 },
	{ "reset", KVM_SYSTEM_EVENT_RESET, 0xfedcba9876543210ULL },
};

/* Sets of vCPUs, such as those whose lock is held, have bit i for vCPU i. */

/* What @task did with the locks during a reset. */
struct lock_trace {
	struct tracepoint *acquire, *release;
	struct task_struct *task;	/* NULL while no reset runs */
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
	bool active;			/* a reset runs */
	unsigned long kept;		/* whose lock is kept now */
	unsigned long waited;		/* whose lock was waited for */
	unsigned long unguarded;	/* whose state changed while it was kept */
	unsigned long asked_early;	/* asked to sleep while one was kept */
	unsigned long deadlocked;	/* whose lock the reset took twice */
	unsigned int stuck;		/* how often all were set free */
	u32 before[NR_VCPUS];		/* each state when the reset began */
	ktime_t deadline;		/* when patience ends */
	struct irq_work tick;		/* looks for waiters on the only CPU */
	struct task_struct *thread;	/* or from another CPU */
};

struct reset_test {
	struct kvm kvm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct lock_trace trace;
	struct lock_keeper keeper;
	unsigned int caller;		/* of the present reset */
	const struct system_event *event;
	unsigned long keep;		/* whose lock to keep from the reset */
	bool start_kept;		/* and start them, as HSM would, under it */
	arch_spinlock_t raw_locks[NR_VCPUS];	/* when the reset began */
	unsigned long taken;		/* whose lock the reset took at all */
	unsigned long unreleased;	/* whose lock the reset left held */
	bool context_changed;		/* preemption, interrupts or kvm->lock differ */
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
		t->asked_early |= t->asked;
		if (t->held & BIT(i) || t->unguarded & BIT(i))
			continue;
		t->unguarded |= BIT(i);
		t->locks[i] = t->held;
		t->ip[i] = ip;
	}
	t->asked = asked_to_sleep(rt);
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

static void trace_acquire(struct reset_test *rt, unsigned long bit)
{
	struct lock_trace *t = &rt->trace;

	if (!bit)
		return;
	t->held |= bit;
	t->taken |= bit;
	if (hweight_long(t->held) > hweight_long(t->held_together))
		t->held_together = t->held;
}

static void trace_release(struct reset_test *rt, unsigned long bit)
{
	struct lock_trace *t = &rt->trace;
	unsigned int i;

	if (!bit)
		return;
	t->held &= ~bit;
	i = __ffs(bit);
	if (t->marks[i]++ >= MAX_MARKS)
		return;
	/* From here on, writing the same state once more shows. */
	t->seen[i] = MP_STATE_MARK;
	set_mp_state(rt, i, MP_STATE_MARK);
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
	struct reset_test *rt = data;
	unsigned long bit = mp_state_lock_bit(rt, map);
	unsigned long flags;

	if (READ_ONCE(rt->trace.task) != current)
		return;
	raw_local_irq_save(flags);
	trace_writes(rt, ip);
	trace_acquire(rt, bit);
	if (bit && raw_irqs_disabled_flags(flags))
		rt->trace.irqs_off = true;
	raw_local_irq_restore(flags);
}

static void probe_lock_release(void *data, struct lockdep_map *map,
			       unsigned long ip)
{
	struct reset_test *rt = data;
	unsigned long flags;

	if (READ_ONCE(rt->trace.task) != current)
		return;
	raw_local_irq_save(flags);
	trace_writes(rt, ip);
	trace_release(rt, mp_state_lock_bit(rt, map));
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

	check_trace_callback_type_lock_acquire(probe_lock_acquire);
	check_trace_callback_type_lock_release(probe_lock_release);

	for_each_kernel_tracepoint(find_lock_tracepoints, t);
	KUNIT_ASSERT_NOT_NULL(test, t->acquire);
	KUNIT_ASSERT_NOT_NULL(test, t->release);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, lock_trace_stop, rt));
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(t->acquire, probe_lock_acquire, rt));
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(t->release, probe_lock_release, rt));
	return true;
}

#else

static void lock_trace_stop(void *data)
{
}

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

static unsigned int free_patience_ms;

static void keeper_note_writes(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned int i;

	for_each_set_bit(i, &k->kept, NR_VCPUS)
		if (mp_state(rt, i) != k->before[i])
			k->unguarded |= BIT(i);
}

static void keeper_set_deadline(struct lock_keeper *k, unsigned int ms)
{
	k->deadline = ktime_add_ms(ktime_get(), ms);
}

static void keeper_be_patient(struct lock_keeper *k)
{
	keeper_set_deadline(k, k->kept ? KEPT_PATIENCE_MS : free_patience_ms);
}

static void keeper_let_go(struct reset_test *rt, unsigned int i)
{
	struct lock_keeper *k = &rt->keeper;

	keeper_note_writes(rt);
	k->asked_early |= asked_to_sleep(rt);
	k->kept &= ~BIT(i);
	k->waited |= BIT(i);
	if (rt->start_kept)
		set_mp_state(rt, i, KVM_MP_STATE_RUNNABLE);
	arch_spin_unlock(raw_mp_state_lock(rt, i));
	keeper_be_patient(k);
}

/*
 * The reset neither returns nor waits where it can be seen: it tries a lock again
 * and again that it holds itself, or it waits for its turn with a ticket lock that
 * was unlocked too often and serves later tickets. So unlock what is locked and, if
 * that doesn't help, go back by two: 16-bit tickets come round. Again in turn.
 */
static void keeper_set_free(struct reset_test *rt)
{
	unsigned int i, n;

	for (i = 0; i < NR_VCPUS; i++) {
		arch_spinlock_t *lock = raw_mp_state_lock(rt, i);

		if (rt->keeper.stuck % 2)
			for (n = 0; n < 2 * U16_MAX; n++)
				arch_spin_unlock(lock);
		else if (arch_spin_is_locked(lock))
			arch_spin_unlock(lock);
	}
	rt->keeper.stuck++;
}

/* Look once for somebody who waits. In hard interrupt or thread context. */
static void keeper_look(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	bool late = ktime_after(ktime_get(), k->deadline);
	unsigned long contended = 0;
	unsigned int i;

	/* spin_is_contended() is constantly 0 on some riscv kernels. */
	for (i = 0; i < NR_VCPUS; i++)
		if (arch_spin_is_contended(raw_mp_state_lock(rt, i)))
			contended |= BIT(i);

	/* Who takes a ticket has published what it wrote before. */
	smp_rmb();
	if (contended & k->kept) {
		keeper_let_go(rt, __ffs(contended & k->kept));
	} else if (late && k->kept) {
		/* Looping on spin_trylock() doesn't show. Is it this one? */
		keeper_let_go(rt, __ffs(k->kept));
		if (k->kept)
			keeper_set_deadline(k, NO_PATIENCE_MS);
	} else if (late) {
		free_patience_ms = NO_PATIENCE_MS;
		k->deadlocked |= contended;
		if (contended)
			arch_spin_unlock(raw_mp_state_lock(rt, __ffs(contended)));
		else
			keeper_set_free(rt);
		keeper_be_patient(k);
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
	k->stuck = 0;
	for (i = 0; i < NR_VCPUS; i++)
		k->before[i] = mp_state(rt, i);
	keeper_be_patient(k);
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
				    unsigned int idx)
{
	struct kvm_vcpu *vcpu;

	vcpu = kunit_kzalloc(test, sizeof(*vcpu), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vcpu);
	vcpu->run = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vcpu->run);

	/* As kvm_vm_ioctl_create_vcpu() does, with nobody to run it. */
	vcpu->kvm = kvm;
	vcpu->vcpu_id = NR_VCPUS - 1 - idx;
	vcpu->vcpu_idx = idx;
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

/* All in @state, nobody asked to sleep, @caller and its neighbour out of the guest. */
static void prepare_reset(struct reset_test *rt, unsigned int caller, u32 state)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		set_mp_state(rt, i, state);
		kvm_clear_request(KVM_REQ_SLEEP, rt->vcpu[i]);
		rt->vcpu[i]->mode = IN_GUEST_MODE;
	}
	rt->vcpu[caller]->mode = OUTSIDE_GUEST_MODE;
	rt->vcpu[(caller + 1) % NR_VCPUS]->mode = OUTSIDE_GUEST_MODE;
}

/*
 * Taking a ticket lock changes it for good, a queued one only until it's free.
 * To see a lock taken by that needs neither lockdep nor a second CPU.
 */
static void copy_raw_locks(struct reset_test *rt)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS && !IS_ENABLED(CONFIG_PREEMPT_RT); i++)
		rt->raw_locks[i] = *raw_mp_state_lock(rt, i);
}

static unsigned long changed_raw_locks(struct reset_test *rt)
{
	unsigned long changed = 0;
	unsigned int i;

	for (i = 0; i < NR_VCPUS && !IS_ENABLED(CONFIG_PREEMPT_RT); i++)
		if (memcmp(&rt->raw_locks[i], raw_mp_state_lock(rt, i), sizeof(arch_spinlock_t)))
			changed |= BIT(i);
	return changed;
}

static bool taking_shows(struct reset_test *rt)
{
	copy_raw_locks(rt);
	spin_lock(&rt->vcpu[0]->arch.mp_state_lock);
	spin_unlock(&rt->vcpu[0]->arch.mp_state_lock);
	return changed_raw_locks(rt);
}

static void release_leaked_locks(struct reset_test *rt)
{
	unsigned int i;

	rt->unreleased = 0;
	for (i = 0; i < NR_VCPUS; i++) {
		spinlock_t *lock = &rt->vcpu[i]->arch.mp_state_lock;

		if (!spin_trylock(lock)) {
			rt->unreleased |= BIT(i);
			/* For sparse: the reset took it. */
			__acquire(lock);
			spin_unlock(lock);
			/* One unlock too many doesn't leave it free either. */
			spin_lock_init(lock);
		} else {
			spin_unlock(lock);
		}
	}
	if (mutex_is_locked(&rt->kvm.lock)) {
		rt->context_changed = true;
		mutex_unlock(&rt->kvm.lock);
	}
}

/*
 * Let vCPU @caller reset the VM under both observers. Whatever the reset left
 * behind is put right, so that the case can go on and report it.
 */
static void system_reset(struct kunit *test, unsigned int caller,
			 const struct system_event *event)
{
	struct reset_test *rt = test->priv;
	struct kvm_vcpu *vcpu = rt->vcpu[caller];
	struct lock_keeper *k = &rt->keeper;
	struct lock_trace *t = &rt->trace;
	int preempt;
	unsigned int i;

	rt->caller = caller;
	rt->event = event;
	memset_after(t, 0, release);
	for (i = 0; i < NR_VCPUS; i++)
		t->seen[i] = mp_state(rt, i);

	keeper_begin(rt);
	copy_raw_locks(rt);
	preempt = preempt_count();
	WRITE_ONCE(t->task, current);

	kvm_riscv_vcpu_sbi_system_reset(vcpu, vcpu->run, event->type, event->reason);

	trace_writes(rt, _THIS_IP_);
	WRITE_ONCE(t->task, NULL);
	rt->taken = t->taken | changed_raw_locks(rt);
	rt->context_changed = preempt_count() != preempt || irqs_disabled();
	if (irqs_disabled())
		local_irq_enable();
	keeper_end(rt);
	release_leaked_locks(rt);
	preempt_count_set(preempt);

	if (k->deadlocked)
		KUNIT_FAIL_AND_ABORT(test,
				     "%s by vCPU %u: deadlock, it waited for the mp_state_lock of vCPU %*pbl while holding it",
				     event->name, caller, NR_VCPUS, &k->deadlocked);
	if (k->stuck)
		KUNIT_FAIL_AND_ABORT(test,
				     "%s by vCPU %u: deadlock, it went on when every mp_state_lock was set free",
				     event->name, caller);
}

/* Let each vCPU cause each event, all vCPUs being in @state, and @check after it. */
static void after_each_reset(struct kunit *test, u32 state,
			     void (*check)(struct kunit *test))
{
	unsigned int caller, e;

	for (e = 0; e < ARRAY_SIZE(system_events); e++) {
		for (caller = 0; caller < NR_VCPUS; caller++) {
			prepare_reset(test->priv, caller, state);
			system_reset(test, caller, &system_events[e]);
			check(test);
		}
	}
}

/* Fail if there is a vCPU in @vcpus, of which @what is true. */
static void expect_none(struct kunit *test, unsigned long vcpus, const char *what)
{
	struct reset_test *rt = test->priv;

	if (vcpus)
		KUNIT_FAIL(test, "%s by vCPU %u: %s vCPU %*pbl",
			   rt->event->name, rt->caller, what, NR_VCPUS, &vcpus);
}

/* The cases */

static void check_locks_held(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_trace *t = &rt->trace;
	unsigned int i;

	for_each_set_bit(i, &t->unguarded, NR_VCPUS)
		KUNIT_FAIL(test,
			   "%s by vCPU %u: mp_state of vCPU %u written under the mp_state_lock of vCPU [%*pbl], expected its own; seen at %pS",
			   rt->event->name, rt->caller, i, NR_VCPUS, &t->locks[i],
			   (void *)t->ip[i]);
}

/* Each write happens under the lock of the vCPU that is written. */
static void reset_holds_lock_of_target(struct kunit *test)
{
	require_lock_trace(test);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_locks_held);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_locks_held);
	/* Here, writing RUNNABLE would show, too. */
	after_each_reset(test, MP_STATE_MARK, check_locks_held);
}

static void check_locks_waited_for(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_keeper *k = &rt->keeper;

	expect_none(test, k->unguarded,
		    "somebody else held the mp_state_lock at the write of mp_state of");
	expect_none(test, ALL_VCPUS & ~k->waited, "did not wait for the mp_state_lock of");
	expect_none(test, k->asked_early,
		    "KVM_REQ_SLEEP came before every lock was taken, for");
}

/* Keep all locks from every reset of this case from now on. May sleep. */
static void require_lock_keeper(struct kunit *test)
{
	struct reset_test *rt = test->priv;

	if (!locks_spin())
		kunit_skip(test, "needs CONFIG_SMP without CONFIG_PREEMPT_RT");
	if (!rt->keeper.thread) {
		/* It would wait forever if the timer doesn't come to the keeper. */
		if (!lock_trace_start(test))
			kunit_skip(test, "one CPU: needs lockdep to tell if waiting is safe");
		prepare_reset(rt, 0, KVM_MP_STATE_RUNNABLE);
		system_reset(test, 0, &system_events[0]);
		if (rt->trace.irqs_off)
			kunit_skip(test, "one CPU: the reset waits with interrupts off");
		if (rt->context_changed)
			kunit_skip(test, "one CPU: the reset changes preemption or interrupts");
		/* Its marks would be taken for writes. */
		kunit_release_action(test, lock_trace_stop, rt);
	}
	rt->keep = ALL_VCPUS;
}

/* No write before the reset has waited for that vCPU's lock to come free. */
static void reset_waits_for_lock_of_target(struct kunit *test)
{
	require_lock_keeper(test);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_locks_waited_for);
}

static void check_locks_taken(struct kunit *test)
{
	struct reset_test *rt = test->priv;

	expect_none(test, ALL_VCPUS & ~rt->taken, "did not take the mp_state_lock of");
}

/*
 * A state that is looked at without the lock may have changed before the reset
 * is done. So the lock is taken even if nothing needs to be written.
 */
static void reset_takes_lock_of_every_vcpu(struct kunit *test)
{
	if (!lock_trace_start(test) && !taking_shows(test->priv))
		kunit_skip(test, "needs CONFIG_LOCKDEP or ticket spinlocks");
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_locks_taken);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_locks_taken);
}

static void check_one_lock_held(struct kunit *test)
{
	struct reset_test *rt = test->priv;

	if (hweight_long(rt->trace.held_together) > 1)
		expect_none(test, rt->trace.held_together,
			    "held at the same time the mp_state_locks of");
}

/* mp_state_locks have no order among themselves, so no two are held at a time. */
static void reset_holds_one_lock_at_a_time(struct kunit *test)
{
	require_lock_trace(test);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_one_lock_held);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_one_lock_held);
}

static void check_nothing_held(struct kunit *test)
{
	struct reset_test *rt = test->priv;

	expect_none(test, rt->unreleased, "not free afterwards: the mp_state_lock of");
	KUNIT_EXPECT_FALSE_MSG(test, rt->context_changed,
			       "%s by vCPU %u: preemption, interrupts or kvm->lock are not as they were",
			       rt->event->name, rt->caller);
}

/* Every lock is free afterwards, and the caller is where it was. */
static void reset_releases_every_lock(struct kunit *test)
{
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_nothing_held);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_nothing_held);
}

static void check_all_stopped(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		KUNIT_EXPECT_EQ_MSG(test, mp_state(rt, i), KVM_MP_STATE_STOPPED,
				    "%s by vCPU %u: mp_state of vCPU %u",
				    rt->event->name, rt->caller, i);
}

/* Whatever states the vCPUs were in, all of them end stopped. */
static void reset_stops_every_vcpu(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned int caller, i;

	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_all_stopped);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_all_stopped);
	for (caller = 0; caller < NR_VCPUS; caller++) {
		prepare_reset(rt, caller, KVM_MP_STATE_RUNNABLE);
		for (i = 0; i < NR_VCPUS; i += 2)
			set_mp_state(rt, i, KVM_MP_STATE_STOPPED);
		system_reset(test, caller, &system_events[0]);
		check_all_stopped(test);
	}
}

static void check_none_left_running(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned long running = 0;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		if (mp_state(rt, i) == KVM_MP_STATE_RUNNABLE)
			running |= BIT(i);
	expect_none(test, running, "started before its mp_state_lock was taken, but not stopped:");
}

/*
 * A vCPU may be started by another one, under its lock, until the reset has taken
 * that lock. Only then does its state count.
 */
static void reset_stops_vcpu_started_meanwhile(struct kunit *test)
{
	struct reset_test *rt = test->priv;

	require_lock_keeper(test);
	rt->start_kept = true;
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_none_left_running);
}

static void check_sleep_not_early(struct kunit *test)
{
	struct reset_test *rt = test->priv;

	expect_none(test, rt->trace.asked_early,
		    "KVM_REQ_SLEEP came before the last mp_state was written, for");
}

/*
 * KVM_REQ_SLEEP makes a vCPU look at its mp_state. Nobody is asked to before
 * all states are written: a vCPU that still runs may start one that sleeps.
 */
static void reset_requests_sleep_after_last_write(struct kunit *test)
{
	require_lock_trace(test);
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_sleep_not_early);
}

static void check_all_asked_to_sleep(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned long in_guest = 0;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		if (rt->vcpu[i]->mode == IN_GUEST_MODE)
			in_guest |= BIT(i);
	expect_none(test, ALL_VCPUS & ~asked_to_sleep(rt), "KVM_REQ_SLEEP did not come for");
	expect_none(test, in_guest, "not told to leave the guest:");
}

/* Wherever a vCPU is, it is asked to sleep; in the guest, it is told to leave. */
static void reset_requests_sleep_of_every_vcpu(struct kunit *test)
{
	after_each_reset(test, KVM_MP_STATE_RUNNABLE, check_all_asked_to_sleep);
	after_each_reset(test, KVM_MP_STATE_STOPPED, check_all_asked_to_sleep);
}

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
		prepare_reset(rt, caller, KVM_MP_STATE_RUNNABLE);
		for (i = 0; i < NR_VCPUS; i++)
			memset(rt->vcpu[i]->run, RUN_MARK, PAGE_SIZE);

		system_reset(test, caller, event);
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
					   "%s by vCPU %u: byte %u of kvm_run of vCPU %u is 0x%02x, expected 0x%02x",
					   event->name, caller, byte, i, run[byte],
					   ((u8 *)expected)[byte]);
		}
	}
}

static struct kunit_case reset_test_cases[] = {
	KUNIT_CASE(reset_holds_lock_of_target),
	KUNIT_CASE(reset_waits_for_lock_of_target),
	KUNIT_CASE(reset_takes_lock_of_every_vcpu),
	KUNIT_CASE(reset_holds_one_lock_at_a_time),
	KUNIT_CASE(reset_releases_every_lock),
	KUNIT_CASE(reset_stops_every_vcpu),
	KUNIT_CASE(reset_stops_vcpu_started_meanwhile),
	KUNIT_CASE(reset_requests_sleep_after_last_write),
	KUNIT_CASE(reset_requests_sleep_of_every_vcpu),
	KUNIT_CASE_PARAM(reset_reports_system_event, system_event_gen_params),
	{}
};

static int reset_test_suite_init(struct kunit_suite *suite)
{
	free_patience_ms = FREE_PATIENCE_MS;
	return 0;
}

static struct kunit_suite reset_test_suite = {
	.name = "riscv_kvm_vcpu_sbi",
	.suite_init = reset_test_suite_init,
	.init = reset_test_init,
	.test_cases = reset_test_cases,
};

kunit_test_suite(reset_test_suite);
