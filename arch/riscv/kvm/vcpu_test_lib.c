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

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <trace/events/lock.h>

#include "vcpu_test_lib.h"

/* How often a state becomes MP_STATE_MARK; one may look until it's stopped. */
#define MAX_MARKS	8

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
 *
 * Return: the set of these vCPUs.
 */
unsigned long vcpu_test_asked_to_sleep(struct vcpu_test *vt)
{
	unsigned long asked = 0;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		if (kvm_test_request(KVM_REQ_SLEEP, vt->vcpu[i]))
			asked |= BIT(i);
	return asked;
}

/* The lock trace */

static void trace_writes(struct vcpu_test *vt, unsigned long ip)
{
	struct lock_trace *t = &vt->trace;
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++) {
		u32 state = mp_state(vt, i);

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
	t->asked = vcpu_test_asked_to_sleep(vt);
}

#if defined(CONFIG_LOCKDEP) && defined(CONFIG_TRACEPOINTS)

static unsigned long mp_state_lock_bit(struct vcpu_test *vt,
				       struct lockdep_map *map)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		if (map == &vt->vcpu[i]->arch.mp_state_lock.dep_map)
			return BIT(i);
	return 0;
}

static void trace_acquire(struct vcpu_test *vt, unsigned long bit)
{
	struct lock_trace *t = &vt->trace;

	if (!bit)
		return;
	t->held |= bit;
	t->taken |= bit;
	if (hweight_long(t->held) > hweight_long(t->held_together))
		t->held_together = t->held;
}

static void trace_release(struct vcpu_test *vt, unsigned long bit)
{
	struct lock_trace *t = &vt->trace;
	unsigned int i;

	if (!bit)
		return;
	t->held &= ~bit;
	i = __ffs(bit);
	if (t->marks[i]++ >= MAX_MARKS)
		return;
	/* From here on, writing the same state once more shows. */
	t->seen[i] = MP_STATE_MARK;
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
	unsigned long bit = mp_state_lock_bit(vt, map);
	unsigned long flags;

	if (READ_ONCE(vt->trace.task) != current)
		return;
	raw_local_irq_save(flags);
	trace_writes(vt, ip);
	trace_acquire(vt, bit);
	if (bit && raw_irqs_disabled_flags(flags))
		vt->trace.irqs_off = true;
	raw_local_irq_restore(flags);
}

static void probe_lock_release(void *data, struct lockdep_map *map,
			       unsigned long ip)
{
	struct vcpu_test *vt = data;
	unsigned long flags;

	if (READ_ONCE(vt->trace.task) != current)
		return;
	raw_local_irq_save(flags);
	trace_writes(vt, ip);
	trace_release(vt, mp_state_lock_bit(vt, map));
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
	return &vt->vcpu[i]->arch.mp_state_lock.rlock.raw_lock;
#endif
}

static void keeper_note_writes(struct vcpu_test *vt)
{
	struct lock_keeper *k = &vt->keeper;
	unsigned int i;

	for_each_set_bit(i, &k->kept, NR_VCPUS)
		if (mp_state(vt, i) != k->before[i])
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

static void keeper_let_go(struct vcpu_test *vt, unsigned int i)
{
	struct lock_keeper *k = &vt->keeper;

	keeper_note_writes(vt);
	k->asked_early |= vcpu_test_asked_to_sleep(vt);
	k->kept &= ~BIT(i);
	k->waited |= BIT(i);
	if (vt->kept_state)
		set_mp_state(vt, i, *vt->kept_state);
	arch_spin_unlock(raw_mp_state_lock(vt, i));
	keeper_be_patient(k);
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

	for (i = 0; i < NR_VCPUS; i++) {
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
	unsigned long contended = 0;
	unsigned int i;

	/* spin_is_contended() is constantly 0 on some riscv kernels. */
	for (i = 0; i < NR_VCPUS; i++)
		if (arch_spin_is_contended(raw_mp_state_lock(vt, i)))
			contended |= BIT(i);

	/* Who takes a ticket has published what it wrote before. */
	smp_rmb();
	if (contended & k->kept) {
		keeper_let_go(vt, __ffs(contended & k->kept));
	} else if (late && k->kept) {
		/* Looping on spin_trylock() doesn't show. Is it this one? */
		keeper_let_go(vt, __ffs(k->kept));
		if (k->kept)
			keeper_set_deadline(k, NO_PATIENCE_MS);
	} else if (late) {
		free_patience_ms = NO_PATIENCE_MS;
		k->deadlocked |= contended;
		if (contended)
			arch_spin_unlock(raw_mp_state_lock(vt, __ffs(contended)));
		else
			keeper_set_free(vt);
		keeper_be_patient(k);
	}
}

static bool keeper_poll(struct vcpu_test *vt)
{
	struct lock_keeper *k = &vt->keeper;
	unsigned long flags;
	bool active;

	raw_spin_lock_irqsave(&k->lock, flags);
	active = k->active;
	if (active)
		keeper_look(vt);
	raw_spin_unlock_irqrestore(&k->lock, flags);
	return active;
}

static void keeper_tick(struct irq_work *tick)
{
	if (keeper_poll(container_of(tick, struct vcpu_test, keeper.tick)))
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

static void keeper_begin(struct vcpu_test *vt)
{
	struct lock_keeper *k = &vt->keeper;
	unsigned int i;

	if (!locks_spin())
		return;
	raw_spin_lock_irq(&k->lock);
	for_each_set_bit(i, &vt->keep, NR_VCPUS)
		arch_spin_lock(raw_mp_state_lock(vt, i));
	k->kept = vt->keep;
	k->waited = 0;
	k->unguarded = 0;
	k->asked_early = 0;
	k->deadlocked = 0;
	k->stuck = 0;
	for (i = 0; i < NR_VCPUS; i++)
		k->before[i] = mp_state(vt, i);
	keeper_be_patient(k);
	k->active = true;
	raw_spin_unlock_irq(&k->lock);
	if (!k->thread)
		irq_work_queue(&k->tick);
}

static void keeper_end(struct vcpu_test *vt)
{
	struct lock_keeper *k = &vt->keeper;
	unsigned int i;

	if (!locks_spin())
		return;
	raw_spin_lock_irq(&k->lock);
	k->active = false;
	keeper_note_writes(vt);
	for_each_set_bit(i, &k->kept, NR_VCPUS)
		arch_spin_unlock(raw_mp_state_lock(vt, i));
	k->kept = 0;
	raw_spin_unlock_irq(&k->lock);
}

static void keeper_stop(void *data)
{
	struct vcpu_test *vt = data;

	/* A function that crashed has left it active. */
	keeper_end(vt);
	if (vt->keeper.thread)
		kthread_stop(vt->keeper.thread);
	else
		irq_work_sync(&vt->keeper.tick);
}

/* From now on, look at who is watched. May sleep, and pins the calling thread. */
static void keeper_start(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	struct lock_keeper *k = &vt->keeper;
	unsigned int cpu = raw_smp_processor_id();
	struct task_struct *thread;

	if (!locks_spin())
		return;
	raw_spin_lock_init(&k->lock);
	if (num_online_cpus() > 1) {
		/* A function that waits with preemption off would shut it out. */
		KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(cpu)));
		cpu = cpumask_any_but(cpu_online_mask, cpu);
		thread = kthread_create_on_cpu(keeper_thread, vt, cpu, "lock_keeper/%u");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
		k->thread = thread;
		wake_up_process(thread);
	} else {
		/* Lazy work is left to the timer interrupt. */
		k->tick = IRQ_WORK_INIT_LAZY(keeper_tick);
	}
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, keeper_stop, vt));
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
	if (!vt->keeper.thread) {
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
	vt->keep = ALL_VCPUS;
}

/* The virtual machine */

KUNIT_DEFINE_ACTION_WRAPPER(vcpu_destroy, kvm_arch_vcpu_destroy, struct kvm_vcpu *);
KUNIT_DEFINE_ACTION_WRAPPER(vcpu_array_destroy, xa_destroy, struct xarray *);

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

/**
 * vcpu_test_suite_init() - What a suite that uses this needs once
 * @suite: the suite, whose suite_init this is
 *
 * Return: 0.
 */
int vcpu_test_suite_init(struct kunit_suite *suite)
{
	free_patience_ms = FREE_PATIENCE_MS;
	return 0;
}

/**
 * vcpu_test_init() - Make a VM of NR_VCPUS vCPUs for a case
 * @test: the case, whose suite has this for its init
 *
 * Puts the VM into test->priv and starts the lock keeper, which keeps no lock
 * before it is told to. All of it goes when the case ends. Context: may sleep.
 *
 * Return: 0; anything that goes wrong ends @test.
 */
int vcpu_test_init(struct kunit *test)
{
	struct vcpu_test *vt;
	struct xarray *vcpus;
	unsigned int i;

	if (!vcpus_can_be_created())
		kunit_skip(test, "no hypervisor extension, but Ssnpm");

	vt = kunit_kzalloc(test, sizeof(*vt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vt);
	test->priv = vt;

	mutex_init(&vt->kvm.lock);
	vcpus = &vt->kvm.vcpu_array;
	xa_init(vcpus);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, vcpu_array_destroy, vcpus));
	for (i = 0; i < NR_VCPUS; i++) {
		vt->vcpu[i] = create_vcpu(test, &vt->kvm, i);
		KUNIT_ASSERT_EQ(test, 0, xa_insert(vcpus, i, vt->vcpu[i], GFP_KERNEL));
	}
	atomic_set(&vt->kvm.online_vcpus, NR_VCPUS);
	keeper_start(test);

	/*
	 * Should this case hang, the log is to end with its name. KUnit's own
	 * last line has no newline yet, and printk() holds it back.
	 */
	kunit_info(test, "begins\n");
	return 0;
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

	for (i = 0; i < NR_VCPUS; i++) {
		set_mp_state(vt, i, state);
		WRITE_ONCE(vt->vcpu[i]->requests, 0);
		vt->vcpu[i]->mode = IN_GUEST_MODE;
	}
	vt->vcpu[caller]->mode = OUTSIDE_GUEST_MODE;
	vt->vcpu[(caller + 1) % NR_VCPUS]->mode = OUTSIDE_GUEST_MODE;
}

/* Watching */

/*
 * Taking a ticket lock changes it for good, a queued one only until it's free.
 * To see a lock taken by that needs neither lockdep nor a second CPU.
 */
static void copy_raw_locks(struct vcpu_test *vt)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS && !IS_ENABLED(CONFIG_PREEMPT_RT); i++)
		vt->raw_locks[i] = *raw_mp_state_lock(vt, i);
}

static unsigned long changed_raw_locks(struct vcpu_test *vt)
{
	unsigned long changed = 0;
	unsigned int i;

	for (i = 0; i < NR_VCPUS && !IS_ENABLED(CONFIG_PREEMPT_RT); i++)
		if (memcmp(&vt->raw_locks[i], raw_mp_state_lock(vt, i), sizeof(arch_spinlock_t)))
			changed |= BIT(i);
	return changed;
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
	spin_lock(&vt->vcpu[0]->arch.mp_state_lock);
	spin_unlock(&vt->vcpu[0]->arch.mp_state_lock);
	return changed_raw_locks(vt);
}

static void release_leaked_locks(struct vcpu_test *vt)
{
	unsigned int i;

	vt->unreleased = 0;
	for (i = 0; i < NR_VCPUS; i++) {
		spinlock_t *lock = &vt->vcpu[i]->arch.mp_state_lock;

		if (!spin_trylock(lock)) {
			vt->unreleased |= BIT(i);
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
	int preempt;
	unsigned int i;

	vt->what = what;
	vt->caller = caller;
	memset_after(t, 0, release);
	for (i = 0; i < NR_VCPUS; i++)
		t->seen[i] = mp_state(vt, i);

	keeper_begin(vt);
	copy_raw_locks(vt);
	preempt = preempt_count();
	WRITE_ONCE(t->task, current);

	act(vt);

	WRITE_ONCE(t->task, NULL);
	trace_writes(vt, _THIS_IP_);
	vt->taken = t->taken | changed_raw_locks(vt);
	vt->irqs_off |= t->irqs_off;
	vt->context_changed = preempt_count() != preempt || irqs_disabled();
	vt->context_lost |= vt->context_changed;
	if (irqs_disabled())
		local_irq_enable();
	keeper_end(vt);
	release_leaked_locks(vt);
	preempt_count_set(preempt);

	if (k->deadlocked)
		KUNIT_FAIL_AND_ABORT(test,
				     "%s by vCPU %u: deadlock, it waited for the mp_state_lock of vCPU %*pbl while holding it",
				     what, caller, NR_VCPUS, &k->deadlocked);
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
void vcpu_test_expect_none(struct kunit *test, unsigned long vcpus, const char *what)
{
	struct vcpu_test *vt = test->priv;

	if (vcpus)
		KUNIT_FAIL(test, "%s by vCPU %u: %s vCPU %*pbl",
			   vt->what, vt->caller, what, NR_VCPUS, &vcpus);
}

/**
 * vcpu_test_expect_guarded() - Each write was under the lock of the vCPU written
 * @test: the case, which has the lock trace
 */
void vcpu_test_expect_guarded(struct kunit *test)
{
	struct vcpu_test *vt = test->priv;
	struct lock_trace *t = &vt->trace;
	unsigned int i;

	for_each_set_bit(i, &t->unguarded, NR_VCPUS)
		KUNIT_FAIL(test,
			   "%s by vCPU %u: mp_state of vCPU %u written under the mp_state_lock of vCPU [%*pbl], expected its own; seen at %pS",
			   vt->what, vt->caller, i, NR_VCPUS, &t->locks[i],
			   (void *)t->ip[i]);
}

/**
 * vcpu_test_expect_waited() - Each write came after a wait for the vCPU's lock
 * @test: the case, which has the lock keeper
 * @targets: the vCPUs whose lock had to be waited for
 */
void vcpu_test_expect_waited(struct kunit *test, unsigned long targets)
{
	struct vcpu_test *vt = test->priv;
	struct lock_keeper *k = &vt->keeper;

	vcpu_test_expect_none(test, k->unguarded,
			      "somebody else held the mp_state_lock at the write of mp_state of");
	vcpu_test_expect_none(test, targets & ~k->waited,
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

	if (hweight_long(vt->trace.held_together) > 1)
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

	for (i = 0; i < NR_VCPUS; i++)
		memset(vt->vcpu[i]->run, RUN_MARK, PAGE_SIZE);
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
	for (i = 0; i < NR_VCPUS; i++) {
		memset(expected, RUN_MARK, PAGE_SIZE);
		if (type && i == vt->caller) {
			expected->exit_reason = KVM_EXIT_SYSTEM_EVENT;
			memset(&expected->system_event, 0, sizeof(expected->system_event));
			expected->system_event.type = type;
			expected->system_event.ndata = 1;
			expected->system_event.data[0] = reason;
		}
		byte = differing_byte(vt->vcpu[i]->run, expected);
		if (byte < PAGE_SIZE)
			KUNIT_FAIL(test,
				   "%s by vCPU %u: byte %u of kvm_run of vCPU %u is 0x%02x, expected 0x%02x",
				   vt->what, vt->caller, byte, i,
				   ((u8 *)vt->vcpu[i]->run)[byte], ((u8 *)expected)[byte]);
	}
	kunit_kfree(test, expected);
}
