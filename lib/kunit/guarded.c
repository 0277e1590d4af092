// SPDX-License-Identifier: GPL-2.0
/*
 * Test that a field is written only while the lock that guards it is held.
 *
 * Probes on lockdep's tracepoints lock_acquire and lock_release follow which locks
 * the watched task holds. Between two events that set is constant, so whatever changed
 * a field between them did so under exactly these locks. lock_is_held() would not do:
 * lockdep stops keeping track once it has reported something.
 *
 * The probes run in the watched task. No thread or timer takes part in a verdict.
 */

#include <kunit/guarded.h>
#include <kunit/resource.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/debug_locks.h>
#include <linux/hashtable.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>
#include <trace/events/lock.h>

#define NR_EXACT	64	/* up to so many fields, every event looks at all of them */
#define MAX_POISONED	8	/* then stop, so that code polling the field terminates */
#define MAX_REPORTED	8
#define HOLD_MS		50	/* then code that repeats a trylock succeeds */

struct kunit_guarded_watch {
	struct kunit *test;
	struct task_struct *task;	/* NULL while nothing is watched */
	struct tracepoint *acquire, *release;
	void (*on_event)(struct kunit *test, struct kunit_guarded *acquired);
	struct list_head guards;
	DECLARE_HASHTABLE(by_lock, 8);
	unsigned int nr, nr_held, most_held;
	u64 held, together;		/* by index of the guard */
	int preempt_count;
	char what[64];
	spinlock_t *hold;		/* by @holder, while the next statement is watched */
	struct work_struct holder;
	struct completion holding;
	bool let_go;
};

static u64 bit_of(const struct kunit_guarded *g)
{
	return g->index < NR_EXACT ? BIT_ULL(g->index) : 0;
}

static void look(struct kunit_guarded_watch *w, struct kunit_guarded *g, unsigned long ip)
{
	if (!memcmp(g->seen, g->field, g->size))
		return;
	memcpy(g->seen, g->field, g->size);
	if (g->unguarded || (g->held > 0 && !g->reading))
		return;
	g->unguarded = true;
	g->instead = w->held;
	g->ip = ip;
}

static void look_at_all(struct kunit_guarded_watch *w, unsigned long ip)
{
	struct kunit_guarded *g;

	list_for_each_entry(g, &w->guards, list)
		look(w, g, ip);
}

#if defined(CONFIG_LOCKDEP) && defined(CONFIG_TRACEPOINTS)

/*
 * The task is about to hang, possibly with interrupts off: WARN() is flushed even then.
 * Turn lockdep off first, so that its report does not bury this one.
 */
static void report_deadlock(struct kunit_guarded_watch *w, struct kunit_guarded *g)
{
	bool off = current->lockdep_recursion;

	g->deadlock = true;
	if (!off)
		debug_locks_off();
	WARN(!off, "%s: %s: deadlock, waits for %s of %s, which it %s\n",
	     w->test->name, w->what, g->lock_name, g->name,
	     g->held > 0 ? "holds" : "released without holding it");
}

static void acquired(struct kunit_guarded_watch *w, struct kunit_guarded *g, bool trylock,
		     bool read)
{
	/* What on_event() wrote was written by another holder. */
	memcpy(g->seen, g->field, g->size);
	if (g->held && !trylock && !(read && g->reading))
		report_deadlock(w, g);
	if (!g->held++)
		g->reading = read;
	w->held |= bit_of(g);
	g->taken += !read;
	g->tried |= trylock;
}

static void released(struct kunit_guarded_watch *w, struct kunit_guarded *g)
{
	if (--g->held)
		return;
	w->held &= ~bit_of(g);
	if (!g->poison || g->reading || g->poisoned++ >= MAX_POISONED)
		return;
	memcpy(g->field, g->poison, g->size);
	memcpy(g->seen, g->poison, g->size);
}

static void lock_event(struct kunit_guarded_watch *w, struct lockdep_map *lock, bool acquire,
		       bool trylock, bool read, unsigned long ip)
{
	struct kunit_guarded *g, *guard = NULL;
	unsigned long flags;

	/* An interrupt leaves the task's locks as they are, but must not come in between. */
	if (READ_ONCE(w->task) != current || !in_task())
		return;
	raw_local_irq_save(flags);
	w->task = NULL;
	if (w->nr <= NR_EXACT)
		look_at_all(w, ip);
	hash_for_each_possible(w->by_lock, g, by_lock, (unsigned long)lock) {
		if (g->lock == lock) {
			if (!guard || g->size)
				guard = g;
			look(w, g, ip);
		}
	}
	if (w->on_event)
		w->on_event(w->test, acquire ? guard : NULL);
	hash_for_each_possible(w->by_lock, g, by_lock, (unsigned long)lock) {
		if (g->lock == lock && acquire)
			acquired(w, g, trylock, read);
		else if (g->lock == lock)
			released(w, g);
	}
	if (guard && guard->size && guard->held == acquire)
		w->nr_held += acquire ? 1 : -1;
	if (w->nr_held > w->most_held) {
		w->most_held = w->nr_held;
		w->together = w->held;
	}
	w->task = current;
	raw_local_irq_restore(flags);
}

/* Comes before the lock is waited for; for a trylock, after it has succeeded. */
static void probe_lock_acquire(void *data, struct lockdep_map *lock, unsigned int subclass,
			       int trylock, int read, int check, struct lockdep_map *nest_lock,
			       unsigned long ip)
{
	lock_event(data, lock, true, trylock, read, ip);
}

static void probe_lock_release(void *data, struct lockdep_map *lock, unsigned long ip)
{
	lock_event(data, lock, false, false, false, ip);
}

/* By name: KUnit can be a module, and the two are not exported. */
static void find_tracepoint(struct tracepoint *tp, void *data)
{
	struct kunit_guarded_watch *w = data;

	if (!strcmp(tp->name, "lock_acquire"))
		w->acquire = tp;
	else if (!strcmp(tp->name, "lock_release"))
		w->release = tp;
}

static void unprobe(struct kunit_guarded_watch *w)
{
	tracepoint_probe_unregister(w->release, probe_lock_release, w);
	tracepoint_probe_unregister(w->acquire, probe_lock_acquire, w);
	tracepoint_synchronize_unregister();
}

static int probe(struct kunit_guarded_watch *w)
{
	int err;

	check_trace_callback_type_lock_acquire(probe_lock_acquire);
	check_trace_callback_type_lock_release(probe_lock_release);
	for_each_kernel_tracepoint(find_tracepoint, w);
	err = tracepoint_probe_register(w->acquire, probe_lock_acquire, w);
	if (err)
		return err;
	err = tracepoint_probe_register(w->release, probe_lock_release, w);
	if (err)
		tracepoint_probe_unregister(w->acquire, probe_lock_acquire, w);
	return err;
}

/* Have lockdep forget a lock that was left held: its object is about to be freed. */
static void forget(struct kunit_guarded *g)
{
	while (g->held && lock_is_held_type(g->lock, -1) == LOCK_STATE_HELD)
		lock_release(g->lock, _THIS_IP_);
}

static const bool can_watch = true;

#else

static void unprobe(struct kunit_guarded_watch *w) {}
static int probe(struct kunit_guarded_watch *w) { return 0; }
static void forget(struct kunit_guarded *g) {}

static const bool can_watch;

#endif

static void hold(struct work_struct *work)
{
	struct kunit_guarded_watch *w = container_of(work, struct kunit_guarded_watch, holder);
	ktime_t end = ktime_add_ms(ktime_get(), HOLD_MS);
	unsigned long flags;

	spin_lock_irqsave(w->hold, flags);
	complete(&w->holding);
	while (!READ_ONCE(w->let_go) && ktime_before(ktime_get(), end))
		cpu_relax();
	spin_unlock_irqrestore(w->hold, flags);
}

static void have_held(struct kunit_guarded_watch *w)
{
	w->let_go = false;
	reinit_completion(&w->holding);
	migrate_disable();
	queue_work_on(cpumask_any_but(cpu_online_mask, smp_processor_id()),
		      system_highpri_wq, &w->holder);
	wait_for_completion(&w->holding);
}

static void let_go(struct kunit_guarded_watch *w)
{
	WRITE_ONCE(w->let_go, true);
	flush_work(&w->holder);
	migrate_enable();
	w->hold = NULL;
}

static void watch_free(struct kunit_resource *res)
{
	struct kunit_guarded_watch *w = res->data;
	struct kunit_guarded *g, *next;

	WRITE_ONCE(w->task, NULL);
	unprobe(w);
	WRITE_ONCE(w->let_go, true);
	flush_work(&w->holder);
	list_for_each_entry_safe(g, next, &w->guards, list)
		kfree(g);
	kfree(w);
}

static int watch_init(struct kunit_resource *res, void *test)
{
	struct kunit_guarded_watch *w = kzalloc(sizeof(*w), GFP_KERNEL);
	int err;

	if (!w)
		return -ENOMEM;
	w->test = test;
	INIT_LIST_HEAD(&w->guards);
	hash_init(w->by_lock);
	INIT_WORK(&w->holder, hold);
	init_completion(&w->holding);
	res->data = w;
	err = probe(w);
	if (err)
		kfree(w);
	return err;
}

static bool is_watch(struct kunit *test, struct kunit_resource *res, void *data)
{
	return res->free == watch_free;
}

static struct kunit_guarded_watch *watch_of(struct kunit *test)
{
	struct kunit_resource *res = kunit_find_resource(test, is_watch, NULL);
	struct kunit_guarded_watch *w;

	if (res) {
		w = res->data;
		kunit_put_resource(res);
	} else {
		w = kunit_alloc_resource(test, watch_init, watch_free, GFP_KERNEL, test);
		KUNIT_ASSERT_NOT_NULL(test, w);
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
	/* "&vcpu->lock" is called vcpu->lock. */
	g->field_name = field_name + (*field_name == '&');
	g->lock_name = lock_name + (*lock_name == '&');
	va_start(args, fmt);
	vsnprintf(g->name, sizeof(g->name), fmt, args);
	va_end(args);
	g->index = w->nr++;
	list_add_tail(&g->list, &w->guards);
	hash_add(w->by_lock, &g->by_lock, (unsigned long)lock);
	return g;
}
EXPORT_SYMBOL_GPL(__kunit_guarded_by);

/**
 * kunit_guarded_require() - Skip a test case if locks cannot be watched
 * @test: The test case.
 *
 * Context: may sleep; does not return if it skips.
 */
void kunit_guarded_require(struct kunit *test)
{
	if (!can_watch)
		kunit_skip(test, "needs CONFIG_LOCKDEP (PROVE_LOCKING) and CONFIG_TRACEPOINTS");
}
EXPORT_SYMBOL_GPL(kunit_guarded_require);

/**
 * kunit_guarded_on_event() - Call a function at each lock event
 * @test: The test case.
 * @on_event: Called when the watched code takes or releases any lock, with interrupts
 *	off; NULL for none. @acquired guards the lock about to be waited for, or is
 *	NULL. What that lock guards may be written, as another holder might have done.
 *	The function must not use locks or expectations.
 */
void kunit_guarded_on_event(struct kunit *test,
			    void (*on_event)(struct kunit *test, struct kunit_guarded *acquired))
{
	watch_of(test)->on_event = on_event;
}
EXPORT_SYMBOL_GPL(kunit_guarded_on_event);

/**
 * kunit_guarded_hold() - Have another CPU hold a lock when the watched code begins
 * @test: The test case.
 * @lock: The lock. It is held in the next kunit_guarded_watch().
 *
 * For code that uses spin_trylock() (&kunit_guarded.tried): a trylock that fails is
 * no event. The lock is held for 50 ms, or until the watched code ends. Code that is
 * delayed finds it free, which can hide a bug but never report a false one.
 *
 * Return: false if there is no other CPU.
 */
bool kunit_guarded_hold(struct kunit *test, spinlock_t *lock)
{
	if (num_online_cpus() == 1)
		return false;
	watch_of(test)->hold = lock;
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
		g->unguarded = false;
		g->poisoned = 0;
		memcpy(g->seen, g->field, g->size);
	}
	w->most_held = 0;
	if (w->hold)
		have_held(w);
	w->preempt_count = preempt_count();
	WRITE_ONCE(w->task, can_watch ? current : NULL);
	return w;
}
EXPORT_SYMBOL_GPL(__kunit_guarded_begin);

struct kunit_guarded_watch *__kunit_guarded_end(struct kunit_guarded_watch *w)
{
	bool same = preempt_count() == w->preempt_count && !irqs_disabled();
	struct kunit_guarded *g;
	bool abort = false;

	if (w->task)
		look_at_all(w, _THIS_IP_);
	WRITE_ONCE(w->task, NULL);
	/* Enough to report what follows. */
	preempt_count_set(w->preempt_count);
	local_irq_enable();
	list_for_each_entry(g, &w->guards, list)
		forget(g);
	if (w->hold)
		let_go(w);
	list_for_each_entry(g, &w->guards, list) {
		if (!g->held && !g->deadlock)
			continue;
		KUNIT_FAIL(w->test, "%s: %s of %s %s", w->what, g->lock_name, g->name,
			   g->deadlock ? "waited for while held" :
			   g->held > 0 ? "not released" : "released without being held");
		abort = true;
	}
	KUNIT_EXPECT_TRUE_MSG(w->test, same, "%s: changed preempt_count() or irqs_disabled()",
			      w->what);
	if (abort)
		__kunit_abort(w->test);
	return NULL;
}
EXPORT_SYMBOL_GPL(__kunit_guarded_end);

static const char *names(struct kunit_guarded_watch *w, u64 guards, char *buf, size_t size)
{
	struct kunit_guarded *g;
	size_t len = 0;

	strscpy(buf, "none", size);
	list_for_each_entry(g, &w->guards, list)
		if (guards & bit_of(g))
			len += scnprintf(buf + len, size - len, "%s%s of %s", len ? ", " : "",
					 g->lock_name, g->name);
	return buf;
}

/**
 * kunit_expect_guarded() - Expect that each field was written under its lock
 * @test: The test case, after kunit_guarded_watch().
 *
 * Context: may sleep.
 */
void kunit_expect_guarded(struct kunit *test)
{
	struct kunit_guarded_watch *w = watch_of(test);
	unsigned int unguarded = 0;
	struct kunit_guarded *g;
	char held[160];

	list_for_each_entry(g, &w->guards, list) {
		if (!g->unguarded || ++unguarded > MAX_REPORTED)
			continue;
		names(w, g->instead, held, sizeof(held));
		KUNIT_FAIL(test, "%s: %s of %s written without %s of %s; held: %s; seen at %pS",
			   w->what, g->field_name, g->name, g->lock_name, g->name,
			   w->nr > NR_EXACT ? "not known" : held, (void *)g->ip);
	}
	if (unguarded > MAX_REPORTED)
		KUNIT_FAIL(test, "%s: the same for %u more", w->what, unguarded - MAX_REPORTED);
}
EXPORT_SYMBOL_GPL(kunit_expect_guarded);

/**
 * kunit_expect_one_guard() - Expect that no two locks of fields were held together
 * @test: The test case, after kunit_guarded_watch().
 *
 * Context: may sleep.
 */
void kunit_expect_one_guard(struct kunit *test)
{
	struct kunit_guarded_watch *w = watch_of(test);
	char held[160];

	if (w->most_held > 1)
		KUNIT_FAIL(test, "%s: %u locks held together: %s", w->what, w->most_held,
			   names(w, w->together, held, sizeof(held)));
}
EXPORT_SYMBOL_GPL(kunit_expect_one_guard);
