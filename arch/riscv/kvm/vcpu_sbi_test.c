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
 *   of held locks is constant, so every write is matched with the locks held.
 *
 * - The lock keeper takes every mp_state_lock before the reset and lets one go
 *   only when someone waits for it, from an interrupt. A state that changes
 *   while its lock is still kept was written without that lock.
 *
 * The trace needs lockdep, the keeper needs spinlocks that spin. The keeper's
 * interrupt also frees a reset that waits for a lock it holds itself.
 *
 * The vCPUs are real, made by kvm_arch_vcpu_create(), but belong to no file
 * descriptor and never enter a guest.
 */

#include <kunit/test.h>
#include <linux/irq_work.h>
#include <linux/kvm_host.h>
#include <linux/lockdep.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>
#include <trace/events/lock.h>

#include <asm/kvm_vcpu_sbi.h>

#define NR_VCPUS	4
#define ALL_VCPUS	GENMASK(NR_VCPUS - 1, 0)

/* A state that KVM does not know: who overwrites it shows up. */
#define MP_STATE_MARK	0xa5a5a5a5U
#define RUN_MARK	0xa5

/* How long a reset may wait for a lock that it holds itself. */
#define DEADLOCK_MS	3000

/* Sets of vCPUs, such as those whose lock is held, have bit i for vCPU i. */

/* One write of an mp_state, as the lock trace saw it. */
struct state_write {
	unsigned int vcpu;		/* whose state */
	unsigned long locks;		/* whose locks the writer held */
	unsigned long sleeping;		/* who had KVM_REQ_SLEEP pending */
	unsigned long ip;		/* the lock event after the write */
};

/* What @task did with the locks during a reset. */
struct lock_trace {
	struct task_struct *task;	/* NULL while no reset runs */
	unsigned long held;		/* whose lock is held now */
	unsigned long held_together;	/* whose were held when most were */
	unsigned long marked;		/* whose state is MP_STATE_MARK since */
	u32 seen[NR_VCPUS];		/* the states at the last look */
	bool irqs_off;			/* a lock was taken with interrupts off */
	unsigned int nr_writes;		/* also counts what @writes cannot hold */
	struct state_write writes[4 * NR_VCPUS];
};

/* Whose lock is kept until somebody waits for it, and what came of it. */
struct lock_keeper {
	raw_spinlock_t lock;		/* guards the rest against @work */
	struct irq_work work;		/* looks for waiters while @active */
	bool active;			/* a reset runs */
	unsigned long keep;		/* whose lock to take beforehand */
	unsigned long kept;		/* whose lock is still kept */
	unsigned long waited;		/* whose lock was waited for */
	unsigned long early;		/* whose state changed while it was kept */
	unsigned long sleeping;		/* who was asked to sleep meanwhile */
	unsigned long deadlocked;	/* whose lock the reset took twice */
	ktime_t deadline;		/* when a wait counts as a deadlock */
};

struct reset_test {
	struct kvm kvm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct lock_trace trace;
	struct lock_keeper keeper;
	unsigned long unreleased;	/* whose lock the last reset left held */
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

static unsigned long sleeping_vcpus(struct reset_test *rt)
{
	unsigned long sleeping = 0;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		if (kvm_test_request(KVM_REQ_SLEEP, rt->vcpu[i]))
			sleeping |= BIT(i);
	return sleeping;
}

/* The lock trace */

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

static void trace_writes(struct reset_test *rt, unsigned long ip)
{
	struct lock_trace *t = &rt->trace;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		u32 state = mp_state(rt, i);

		if (state == t->seen[i])
			continue;
		if (t->nr_writes < ARRAY_SIZE(t->writes))
			t->writes[t->nr_writes] = (struct state_write) {
				.vcpu = i,
				.locks = t->held,
				.sleeping = sleeping_vcpus(rt),
				.ip = ip,
			};
		t->nr_writes++;
		t->seen[i] = state;
	}
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
	/* The interrupts that the keeper's work relies on. */
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

	/* A second write of the same state would not show. Make it show, once. */
	if (!bit || t->marked & bit)
		return;
	i = __ffs(bit);
	if (t->seen[i] == KVM_MP_STATE_RUNNABLE)
		return;
	t->marked |= bit;
	t->seen[i] = MP_STATE_MARK;
	set_mp_state(rt, i, MP_STATE_MARK);
}

/* The lock tracepoints are not exported to modules: find them by name. */
static void find_tracepoint(struct tracepoint *tp, void *data)
{
	struct tracepoint **found = data;

	if (!strcmp(tp->name, "lock_acquire"))
		found[0] = tp;
	else if (!strcmp(tp->name, "lock_release"))
		found[1] = tp;
}

static void lock_trace_stop(void *data)
{
	struct tracepoint *tp[2] = {};

	for_each_kernel_tracepoint(find_tracepoint, tp);
	tracepoint_probe_unregister(tp[0], probe_lock_acquire, data);
	tracepoint_probe_unregister(tp[1], probe_lock_release, data);
	tracepoint_synchronize_unregister();
}

/* Start following the locks of each reset to come; sleeps. */
static bool lock_trace_start(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct tracepoint *tp[2] = {};

	check_trace_callback_type_lock_acquire(probe_lock_acquire);
	check_trace_callback_type_lock_release(probe_lock_release);

	for_each_kernel_tracepoint(find_tracepoint, tp);
	if (!tp[0] || !tp[1])
		return false;
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(tp[0], probe_lock_acquire, rt));
	KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(tp[1], probe_lock_release, rt));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, lock_trace_stop, rt));
	return true;
}

#else

static void trace_writes(struct reset_test *rt, unsigned long ip)
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
 * The spinlock below lockdep: the keeper must not be seen as its holder, or
 * the reset would be reported for a deadlock.
 */
static arch_spinlock_t *raw_mp_state_lock(struct reset_test *rt, unsigned int i)
{
#ifdef CONFIG_PREEMPT_RT
	return NULL;
#else
	return &rt->vcpu[i]->arch.mp_state_lock.rlock.raw_lock;
#endif
}

static void keeper_note(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned int i;

	for_each_set_bit(i, &k->kept, NR_VCPUS)
		if (mp_state(rt, i) != KVM_MP_STATE_RUNNABLE)
			k->early |= BIT(i);
}

static void keeper_look(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		arch_spinlock_t *lock = raw_mp_state_lock(rt, i);

		/* spin_is_contended() is constantly 0 on some riscv kernels. */
		if (!arch_spin_is_contended(lock))
			continue;
		if (k->kept & BIT(i)) {
			keeper_note(rt);
			k->sleeping |= sleeping_vcpus(rt);
			k->waited |= BIT(i);
			k->kept &= ~BIT(i);
			k->deadline = ktime_add_ms(ktime_get(), DEADLOCK_MS);
		} else if (ktime_after(ktime_get(), k->deadline)) {
			k->deadlocked |= BIT(i);
		} else {
			continue;
		}
		arch_spin_unlock(lock);
	}
}

/* In hard interrupt context, on another CPU than the reset if there is one. */
static void keeper_work(struct irq_work *work)
{
	struct lock_keeper *k = container_of(work, struct lock_keeper, work);
	struct reset_test *rt = container_of(k, struct reset_test, keeper);

	raw_spin_lock(&k->lock);
	if (k->active) {
		keeper_look(rt);
		irq_work_queue(work);
	}
	raw_spin_unlock(&k->lock);
}

static void keeper_begin(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned int cpu, i;

	if (!locks_spin())
		return;
	k->kept = k->keep;
	k->waited = 0;
	k->early = 0;
	k->sleeping = 0;
	k->deadlocked = 0;
	k->deadline = ktime_add_ms(ktime_get(), DEADLOCK_MS);
	for_each_set_bit(i, &k->keep, NR_VCPUS)
		arch_spin_lock(raw_mp_state_lock(rt, i));

	raw_spin_lock_irq(&k->lock);
	k->active = true;
	raw_spin_unlock_irq(&k->lock);
	cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
	if (cpu < nr_cpu_ids)
		irq_work_queue_on(&k->work, cpu);
	else
		irq_work_queue(&k->work);
}

static void keeper_end(struct reset_test *rt)
{
	struct lock_keeper *k = &rt->keeper;
	unsigned int i;

	if (!locks_spin())
		return;
	raw_spin_lock_irq(&k->lock);
	k->active = false;
	keeper_note(rt);
	for_each_set_bit(i, &k->kept, NR_VCPUS)
		arch_spin_unlock(raw_mp_state_lock(rt, i));
	raw_spin_unlock_irq(&k->lock);
}

static void keeper_destroy(void *data)
{
	struct reset_test *rt = data;

	irq_work_sync(&rt->keeper.work);
}

/* The virtual machine */

KUNIT_DEFINE_ACTION_WRAPPER(vcpu_destroy, kvm_arch_vcpu_destroy, struct kvm_vcpu *);

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
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);
	KUNIT_ASSERT_EQ(test, 0, kvm_arch_vcpu_create(vcpu));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vcpu_destroy, vcpu));
	return vcpu;
}

KUNIT_DEFINE_ACTION_WRAPPER(vcpu_array_destroy, xa_destroy, struct xarray *);

static int reset_test_init(struct kunit *test)
{
	struct reset_test *rt;
	unsigned int i;

	/*
	 * kvm_make_all_cpus_request() needs what kvm_init() allocates then, and
	 * KVM initialises on harts with the H extension only.
	 */
	if (IS_ENABLED(CONFIG_CPUMASK_OFFSTACK) &&
	    !__riscv_isa_extension_available(NULL, 'h' - 'a'))
		kunit_skip(test, "CONFIG_CPUMASK_OFFSTACK needs the hypervisor extension");

	rt = kunit_kzalloc(test, sizeof(*rt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rt);
	test->priv = rt;

	raw_spin_lock_init(&rt->keeper.lock);
	rt->keeper.work = num_online_cpus() > 1 ? IRQ_WORK_INIT_HARD(keeper_work) :
						  IRQ_WORK_INIT_LAZY(keeper_work);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, keeper_destroy, rt));

	xa_init(&rt->kvm.vcpu_array);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vcpu_array_destroy,
							   &rt->kvm.vcpu_array));
	for (i = 0; i < NR_VCPUS; i++) {
		rt->vcpu[i] = create_vcpu(test, &rt->kvm, i);
		KUNIT_ASSERT_EQ(test, 0, xa_err(xa_store(&rt->kvm.vcpu_array, i, rt->vcpu[i],
							 GFP_KERNEL)));
	}
	atomic_set(&rt->kvm.online_vcpus, NR_VCPUS);
	return 0;
}

/* As before KVM_RUN: every vCPU may run, nobody has asked for sleep. */
static void make_all_runnable(struct reset_test *rt)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		set_mp_state(rt, i, KVM_MP_STATE_RUNNABLE);
		kvm_clear_request(KVM_REQ_SLEEP, rt->vcpu[i]);
		rt->vcpu[i]->mode = IN_GUEST_MODE;
	}
}

static void release_leaked_locks(struct reset_test *rt)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		spinlock_t *lock = &rt->vcpu[i]->arch.mp_state_lock;

		if (spin_trylock(lock)) {
			spin_unlock(lock);
			continue;
		}
		rt->unreleased |= BIT(i);
		spin_unlock(lock);
		/* Not free even so if it was released too often. */
		if (spin_trylock(lock))
			spin_unlock(lock);
		else
			spin_lock_init(lock);
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
	int preempt;
	unsigned int i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < NR_VCPUS; i++)
		t->seen[i] = mp_state(rt, i);
	rt->unreleased = 0;

	migrate_disable();
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
	migrate_enable();

	if (rt->keeper.deadlocked)
		KUNIT_FAIL_AND_ABORT(test,
				     "reset by vCPU %u: deadlock, it waited for the mp_state_lock of vCPU %*pbl while holding it",
				     caller, NR_VCPUS, &rt->keeper.deadlocked);
}

static void system_shutdown(struct kunit *test, unsigned int caller)
{
	make_all_runnable(test->priv);
	system_reset(test, caller, KVM_SYSTEM_EVENT_SHUTDOWN, 0);
}

/* The cases */

static const char *locks_of(char *buf, size_t size, unsigned long vcpus)
{
	if (!vcpus)
		return "no mp_state_lock";
	snprintf(buf, size, "the mp_state_lock of vCPU %*pbl", NR_VCPUS, &vcpus);
	return buf;
}

static unsigned int nr_judged(struct lock_trace *t)
{
	return min_t(unsigned int, t->nr_writes, ARRAY_SIZE(t->writes));
}

/* Each write happens under the lock of the vCPU that is written. */
static void reset_holds_lock_of_target(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_trace *t = &rt->trace;
	unsigned int caller, n;
	char buf[48];

	require_lock_trace(test);
	for (caller = 0; caller < NR_VCPUS; caller++) {
		unsigned long written = 0, missing;

		system_shutdown(test, caller);
		for (n = 0; n < nr_judged(t); n++) {
			struct state_write *w = &t->writes[n];

			written |= BIT(w->vcpu);
			if (w->locks & BIT(w->vcpu))
				continue;
			KUNIT_FAIL(test,
				   "reset by vCPU %u: mp_state of vCPU %u written under %s, expected its own; seen at %pS",
				   caller, w->vcpu, locks_of(buf, sizeof(buf), w->locks),
				   (void *)w->ip);
		}
		KUNIT_EXPECT_EQ_MSG(test, t->nr_writes, nr_judged(t),
				    "reset by vCPU %u: more writes than the trace holds", caller);
		missing = ALL_VCPUS & ~written;
		KUNIT_EXPECT_EQ_MSG(test, missing, 0UL,
				    "reset by vCPU %u: no write seen to mp_state of vCPU %*pbl",
				    caller, NR_VCPUS, &missing);
	}
}

/* No write before the reset has waited for that vCPU's lock to come free. */
static void reset_waits_for_lock_of_target(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_keeper *k = &rt->keeper;
	unsigned long missing;
	unsigned int caller, i;

	if (!locks_spin())
		kunit_skip(test, "needs CONFIG_SMP without CONFIG_PREEMPT_RT");
	if (num_online_cpus() == 1) {
		/* With interrupts off it would wait for the keeper for ever. */
		if (!lock_trace_start(test))
			kunit_skip(test, "one CPU: needs lockdep to tell if waiting is safe");
		system_shutdown(test, 0);
		if (rt->trace.irqs_off)
			kunit_skip(test, "one CPU: the reset waits with interrupts off");
	}

	k->keep = ALL_VCPUS;
	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		for_each_set_bit(i, &k->early, NR_VCPUS)
			KUNIT_FAIL(test,
				   "reset by vCPU %u: mp_state of vCPU %u written while somebody else held its mp_state_lock",
				   caller, i);
		missing = ALL_VCPUS & ~k->waited;
		KUNIT_EXPECT_EQ_MSG(test, missing, 0UL,
				    "reset by vCPU %u: never waited for the mp_state_lock of vCPU %*pbl",
				    caller, NR_VCPUS, &missing);
		KUNIT_EXPECT_EQ_MSG(test, k->sleeping, 0UL,
				    "reset by vCPU %u: vCPU %*pbl asked to sleep while mp_state_locks were still to be waited for",
				    caller, NR_VCPUS, &k->sleeping);
	}
}

/* mp_state_locks have no order among themselves, so no two are held at a time. */
static void reset_holds_one_lock_at_a_time(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned long *together = &rt->trace.held_together;
	unsigned int caller;

	require_lock_trace(test);
	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		KUNIT_EXPECT_EQ_MSG(test, hweight_long(*together), 1,
				    "reset by vCPU %u: held the mp_state_lock of vCPU %*pbl at a time",
				    caller, NR_VCPUS, together);
	}
}

/* Every lock is free afterwards, and the caller is where it was. */
static void reset_releases_every_lock(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned int caller;

	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		KUNIT_EXPECT_EQ_MSG(test, rt->unreleased, 0UL,
				    "reset by vCPU %u: the mp_state_lock of vCPU %*pbl is not free",
				    caller, NR_VCPUS, &rt->unreleased);
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
			make_all_runnable(rt);
			for_each_set_bit(i, &stopped[n], NR_VCPUS)
				set_mp_state(rt, i, KVM_MP_STATE_STOPPED);

			system_reset(test, caller, KVM_SYSTEM_EVENT_SHUTDOWN, 0);
			for (i = 0; i < NR_VCPUS; i++)
				KUNIT_EXPECT_EQ_MSG(test, mp_state(rt, i), KVM_MP_STATE_STOPPED,
						    "reset by vCPU %u, vCPU %*pbl stopped before: mp_state of vCPU %u",
						    caller, NR_VCPUS, &stopped[n], i);
		}
	}
}

/*
 * KVM_REQ_SLEEP makes a vCPU look at its mp_state: asked before that is
 * written, it finds itself runnable and goes on.
 */
static void reset_requests_sleep_after_last_write(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	struct lock_trace *t = &rt->trace;
	unsigned int caller, n;

	require_lock_trace(test);
	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		for (n = 0; n < nr_judged(t); n++)
			KUNIT_EXPECT_EQ_MSG(test, t->writes[n].sleeping, 0UL,
					    "reset by vCPU %u: vCPU %*pbl asked to sleep before mp_state of vCPU %u was written",
					    caller, NR_VCPUS, &t->writes[n].sleeping,
					    t->writes[n].vcpu);
	}
}

/* The vCPUs count as in guest mode here, so they must be told to leave it. */
static void reset_requests_sleep_of_every_vcpu(struct kunit *test)
{
	struct reset_test *rt = test->priv;
	unsigned long missing;
	unsigned int caller, i;

	for (caller = 0; caller < NR_VCPUS; caller++) {
		system_shutdown(test, caller);
		missing = ALL_VCPUS & ~sleeping_vcpus(rt);
		KUNIT_EXPECT_EQ_MSG(test, missing, 0UL,
				    "reset by vCPU %u: vCPU %*pbl not asked to sleep",
				    caller, NR_VCPUS, &missing);
		for (i = 0; i < NR_VCPUS; i++)
			KUNIT_EXPECT_EQ_MSG(test, rt->vcpu[i]->mode, EXITING_GUEST_MODE,
					    "reset by vCPU %u: vCPU %u not told to leave the guest",
					    caller, i);
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

/* The caller's kvm_run carries the event and nothing else has changed. */
static void reset_reports_system_event(struct kunit *test)
{
	const struct system_event *event = test->param_value;
	struct reset_test *rt = test->priv;
	struct kvm_run *expected, *untouched;
	unsigned int caller, i;

	untouched = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, untouched);
	memset(untouched, RUN_MARK, PAGE_SIZE);

	expected = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, expected);
	memset(expected, RUN_MARK, PAGE_SIZE);
	memset(&expected->system_event, 0, sizeof(expected->system_event));
	expected->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	expected->system_event.type = event->type;
	expected->system_event.ndata = 1;
	expected->system_event.data[0] = event->reason;

	for (caller = 0; caller < NR_VCPUS; caller++) {
		make_all_runnable(rt);
		for (i = 0; i < NR_VCPUS; i++)
			memset(rt->vcpu[i]->run, RUN_MARK, PAGE_SIZE);

		system_reset(test, caller, event->type, event->reason);
		for (i = 0; i < NR_VCPUS; i++)
			KUNIT_EXPECT_MEMEQ_MSG(test, rt->vcpu[i]->run,
					       i == caller ? expected : untouched, PAGE_SIZE,
					       "reset by vCPU %u: kvm_run of vCPU %u", caller, i);
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
