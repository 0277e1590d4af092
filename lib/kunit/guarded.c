// SPDX-License-Identifier: GPL-2.0
/*
 * Test that a field is written only while the lock that guards it is held.
 *
 * Probes on lockdep's tracepoints lock_acquire and lock_release track which locks the
 * watched task holds. That set is constant between two events, so a field that changed
 * between them was written under exactly these locks. lock_is_held() is no alternative:
 * lockdep stops tracking locks after its first report.
 *
 * The probes run in the watched task, so the result depends on no other thread (but see
 * kunit_guarded_hold()).
 */

#include <kunit/guarded.h>
#include <kunit/resource.h>
#include <linux/cpumask.h>
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/hashtable.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>

#define CAN_WATCH	(IS_ENABLED(CONFIG_LOCKDEP) && IS_ENABLED(CONFIG_TRACEPOINTS))
#define NR_EXACT	64	/* above this, an event checks only its own lock's fields */
#define MAX_POISONED	8	/* releases, so that code polling the field terminates */
#define MAX_REPORTED	8
#define HOLD_US		20000	/* limited, so that code retrying a trylock succeeds */

struct kunit_guarded_watch {
	struct kunit *test;
	struct kunit_resource resource;
	struct tracepoint *acquire, *release;
	struct list_head guards;
	DECLARE_HASHTABLE(by_lock, 8);
	unsigned int nr_guards, nr_alone;	/* nr_alone: held locks with kunit_guarded.alone */
	struct task_struct *task;	/* NULL while nothing is watched */
	char what[64];
	int preempt_count;
	struct work_struct holder;
	spinlock_t *hold;		/* NULL tells @holder to release it */
	bool holding;
};

static void finding(struct kunit_guarded_watch *w, struct kunit_guarded *g, const char *what,
		    unsigned long ip)
{
	struct kunit_guarded *other;
	const char *separator = "";
	struct seq_buf s;

	seq_buf_init(&s, g->finding, sizeof(g->finding));
	seq_buf_printf(&s, "%s of %s%s %s of %s; held: ", g->field_name, g->name, what,
		       g->lock_name, g->name);
	list_for_each_entry(other, &w->guards, list) {
		if (other->held > 0) {
			seq_buf_printf(&s, "%s%s of %s", separator, other->lock_name, other->name);
			separator = ", ";
		}
	}
	seq_buf_printf(&s, "%s; seen at %pS", *separator ? "" : "none", (void *)ip);
}

static void look(struct kunit_guarded_watch *w, struct kunit_guarded *g, unsigned long ip)
{
	if (!memcmp(g->seen, g->field, g->size))
		return;
	memcpy(g->seen, g->field, g->size);
	if (g->held <= 0 || g->reading)
		finding(w, g, " written without", ip);
}

static void acquired(struct kunit_guarded_watch *w, struct kunit_guarded *g, bool trylock,
		     bool read, unsigned long ip)
{
	if (g->held && !trylock && !(read && g->reading)) {
		finding(w, g, ": deadlock, waits for", ip);
		/*
		 * The task is about to hang, possibly with interrupts off. WARN() reaches the
		 * console even then. Turn lockdep off, so that this is the last report.
		 */
		if (!lockdep_recursing(current)) {
			debug_locks_off();
			WARN(1, "%s: %s: %s\n", w->test->name, w->what, g->finding);
		}
	}
	if (!g->held++) {
		g->reading = read;
		if (g->alone && w->nr_alone++)
			finding(w, g, ": another lock is held with", ip);
	}
	g->taken += !read;
	g->tried |= trylock;
}

static void released(struct kunit_guarded_watch *w, struct kunit_guarded *g)
{
	if (--g->held)
		return;
	w->nr_alone -= g->alone;
	if (g->poison && !g->reading && g->taken <= MAX_POISONED)
		memcpy(g->field, g->poison, g->size);
}

static void lock_event(struct kunit_guarded_watch *w, struct lockdep_map *lock, bool acquire,
		       bool trylock, bool read, unsigned long ip)
{
	struct kunit_guarded *g;
	unsigned long flags;

	/* Ignore interrupts here, and keep them out below: they are not the watched code. */
	if (READ_ONCE(w->task) != current || !in_task())
		return;
	raw_local_irq_save(flags);
	w->task = NULL;
	if (w->nr_guards <= NR_EXACT) {
		list_for_each_entry(g, &w->guards, list) {
			look(w, g, ip);
			if (g->on_event)
				g->on_event(g, acquire && g->lock == lock);
		}
	}
	hash_for_each_possible(w->by_lock, g, by_lock, (unsigned long)lock) {
		if (g->lock != lock)
			continue;
		if (w->nr_guards > NR_EXACT)
			look(w, g, ip);
		if (acquire)
			acquired(w, g, trylock, read, ip);
		else
			released(w, g);
		/* Ignore writes by on_event() and released(). */
		memcpy(g->seen, g->field, g->size);
	}
	w->task = current;
	raw_local_irq_restore(flags);
}

/* Called before the task waits for the lock, or after a trylock has succeeded. */
static void probe_acquire(void *data, struct lockdep_map *lock, unsigned int subclass,
			  int trylock, int read, int check, struct lockdep_map *nest_lock,
			  unsigned long ip)
{
	lock_event(data, lock, true, trylock, read, ip);
}

static void probe_release(void *data, struct lockdep_map *lock, unsigned long ip)
{
	lock_event(data, lock, false, false, false, ip);
}

/* Look tracepoints up by name: they are not exported, and KUnit can be a module. */
static void find_tracepoint(struct tracepoint *tp, void *data)
{
	struct kunit_guarded_watch *w = data;

	if (!strcmp(tp->name, "lock_acquire"))
		w->acquire = tp;
	else if (!strcmp(tp->name, "lock_release"))
		w->release = tp;
}

static void hold(struct work_struct *work)
{
	struct kunit_guarded_watch *w = container_of(work, struct kunit_guarded_watch, holder);
	spinlock_t *lock = w->hold;
	unsigned long flags;
	unsigned int us;

	spin_lock_irqsave(lock, flags);
	WRITE_ONCE(w->holding, true);
	for (us = 0; us < HOLD_US && READ_ONCE(w->hold); us += 5)
		udelay(5);
	spin_unlock_irqrestore(lock, flags);
}

static void let_go(struct kunit_guarded_watch *w)
{
	WRITE_ONCE(w->hold, NULL);
	flush_work(&w->holder);
}

static void watch_free(struct kunit_resource *res)
{
	struct kunit_guarded_watch *w = res->data;
	struct kunit_guarded *g, *next;

	WRITE_ONCE(w->task, NULL);
	if (CAN_WATCH) {
		tracepoint_probe_unregister(w->acquire, probe_acquire, w);
		tracepoint_probe_unregister(w->release, probe_release, w);
		tracepoint_synchronize_unregister();
	}
	let_go(w);
	list_for_each_entry_safe(g, next, &w->guards, list)
		kfree(g);
}

static struct kunit_guarded_watch *watch_of(struct kunit *test)
{
	struct kunit_resource *res = kunit_find_named_resource(test, "kunit_guarded");
	struct kunit_guarded_watch *w;

	if (res) {
		w = res->data;
		kunit_put_resource(res);
		return w;
	}
	w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w);
	w->test = test;
	INIT_LIST_HEAD(&w->guards);
	hash_init(w->by_lock);
	INIT_WORK(&w->holder, hold);
	if (CAN_WATCH)
		for_each_kernel_tracepoint(find_tracepoint, w);
	kunit_add_named_resource(test, NULL, watch_free, &w->resource, "kunit_guarded", w);
	if (CAN_WATCH) {
		KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(w->acquire, probe_acquire, w));
		KUNIT_ASSERT_EQ(test, 0, tracepoint_probe_register(w->release, probe_release, w));
	}
	return w;
}

struct kunit_guarded *__kunit_guarded_by(struct kunit *test, void *field, size_t size,
					 const char *field_name, struct lockdep_map *lock,
					 const char *lock_name, const char *fmt, ...)
{
	struct kunit_guarded_watch *w = watch_of(test);
	struct kunit_guarded *g = kzalloc(struct_size(g, seen, size), GFP_KERNEL);
	va_list args;

	KUNIT_ASSERT_NOT_NULL(test, g);
	g->field = field;
	g->size = size;
	g->lock = lock;
	/* Report "&vcpu->lock" as vcpu->lock. */
	g->field_name = field_name + (*field_name == '&');
	g->lock_name = lock_name + (*lock_name == '&');
	va_start(args, fmt);
	vsnprintf(g->name, sizeof(g->name), fmt, args);
	va_end(args);
	w->nr_guards++;
	list_add_tail(&g->list, &w->guards);
	hash_add(w->by_lock, &g->by_lock, (unsigned long)lock);
	return g;
}
EXPORT_SYMBOL_GPL(__kunit_guarded_by);

/**
 * kunit_guarded_require() - Skip a test case if locks cannot be watched
 * @test: The test case.
 */
void kunit_guarded_require(struct kunit *test)
{
	if (!CAN_WATCH)
		kunit_skip(test, "needs CONFIG_LOCKDEP (PROVE_LOCKING) and CONFIG_TRACEPOINTS");
}
EXPORT_SYMBOL_GPL(kunit_guarded_require);

/**
 * kunit_guarded_hold() - Have another CPU hold a lock when the watched code begins
 * @test: The test case, before kunit_guarded_watch().
 * @lock: The lock.
 *
 * Use this for code that calls spin_trylock() (&kunit_guarded.tried), because a failed
 * trylock causes no lock event. The lock is held for 20 ms or until the watched code ends.
 * If that code is delayed, it may find the lock free. This can hide a bug, but not cause a
 * false finding.
 *
 * Return: false if there is no other CPU.
 */
bool kunit_guarded_hold(struct kunit *test, spinlock_t *lock)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	struct kunit_guarded_watch *w = watch_of(test);

	if (cpu >= nr_cpu_ids)
		return false;
	let_go(w);
	w->hold = lock;
	w->holding = false;
	queue_work_on(cpu, system_highpri_wq, &w->holder);
	while (!READ_ONCE(w->holding))
		cond_resched();
	return true;
}
EXPORT_SYMBOL_GPL(kunit_guarded_hold);

struct kunit_guarded_watch *__kunit_guarded_begin(struct kunit *test, const char *fmt, ...)
{
	struct kunit_guarded_watch *w = watch_of(test);
	struct kunit_guarded *g;
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->what, sizeof(w->what), fmt, args);
	va_end(args);
	list_for_each_entry(g, &w->guards, list) {
		g->taken = 0;
		g->tried = false;
		*g->finding = '\0';
		memcpy(g->seen, g->field, g->size);
	}
	w->nr_alone = 0;
	w->preempt_count = preempt_count();
	WRITE_ONCE(w->task, CAN_WATCH ? current : NULL);
	return w;
}
EXPORT_SYMBOL_GPL(__kunit_guarded_begin);

struct kunit_guarded_watch *__kunit_guarded_end(struct kunit_guarded_watch *w)
{
	bool same = preempt_count() == w->preempt_count && !irqs_disabled();
	struct kunit_guarded *g;
	bool abort = false;

	WRITE_ONCE(w->task, NULL);
	/* Reporting a failure and ending the test depend on these. */
	preempt_count_set(w->preempt_count);
	local_irq_enable();
	list_for_each_entry(g, &w->guards, list) {
		if (CAN_WATCH)
			look(w, g, _THIS_IP_);
		if (!g->held)
			continue;
		finding(w, g, g->held > 0 ? ": the code did not release" :
			": the code released without holding", _THIS_IP_);
		for (; g->held > 0; g->held--)
			if (CAN_WATCH && lock_is_held(g->lock) > 0)
				lock_release(g->lock, _THIS_IP_);
		abort = true;
	}
	let_go(w);
	KUNIT_EXPECT_TRUE_MSG(w->test, same, "%s: changed preempt_count() or irqs_disabled()",
			      w->what);
	if (abort) {
		kunit_expect_guarded(w->test);
		__kunit_abort(w->test);
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(__kunit_guarded_end);

/**
 * kunit_expect_guarded() - Expect that each field was written under its lock
 * @test: The test case, after kunit_guarded_watch().
 *
 * Also expects that locks with &kunit_guarded.alone were held alone.
 */
void kunit_expect_guarded(struct kunit *test)
{
	struct kunit_guarded_watch *w = watch_of(test);
	unsigned int findings = 0;
	struct kunit_guarded *g;

	list_for_each_entry(g, &w->guards, list)
		if (*g->finding && ++findings <= MAX_REPORTED)
			KUNIT_FAIL(test, "%s: %s", w->what, g->finding);
	if (findings > MAX_REPORTED)
		KUNIT_FAIL(test, "%s: the same for %u more", w->what, findings - MAX_REPORTED);
}
EXPORT_SYMBOL_GPL(kunit_expect_guarded);
