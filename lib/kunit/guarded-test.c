// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for <kunit/guarded.h>.
 *
 * Each kind of lock is used correctly and incorrectly. Findings fail a separate struct
 * kunit, context.fake, not the test case that expects them.
 */

#include <kunit/guarded.h>
#include <kunit/test.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>

struct object {
	int field;
	spinlock_t spin;		/* the lock under test guards @field: this one */
	raw_spinlock_t raw;
	rwlock_t rw;
	struct mutex mutex;		/* or this one */
	struct rw_semaphore sem;
};

struct context {
	struct kunit fake;
	struct object object[2];
	int others[100];		/* more than NR_EXACT of guarded.c */
	struct kunit_guarded *guard[2];
	const struct kind *kind;
	void (*code)(struct context *c);
	bool aborted;
};

/* Run @code under the lock of object @i. If @code is NULL, declare that lock instead. */
#define DEFINE_KIND(name, member, lock, unlock)						\
static void name##_under(struct context *c, unsigned int i, void (*code)(struct context *c))	\
{											\
	__auto_type l = &c->object[i].member;						\
											\
	if (!code) {									\
		c->guard[i] = kunit_guarded_by(&c->fake, &c->object[i].field, l, "object %u", i); \
		return;									\
	}										\
	lock(l);									\
	code(c);									\
	unlock(l);									\
}

DEFINE_KIND(spin, spin, spin_lock, spin_unlock)
DEFINE_KIND(raw, raw, raw_spin_lock, raw_spin_unlock)
DEFINE_KIND(rwlock, rw, write_lock, write_unlock)
DEFINE_KIND(rwlock_reader, rw, read_lock, read_unlock)
DEFINE_KIND(mutex, mutex, mutex_lock, mutex_unlock)
DEFINE_KIND(rwsem, sem, down_write, up_write)
DEFINE_KIND(rwsem_reader, sem, down_read, up_read)

static const struct kind {
	const char *name;
	void (*under)(struct context *c, unsigned int i, void (*code)(struct context *c));
	bool reads, many;
} kinds[] = {
	{ "spinlock_t", spin_under },
	{ "spinlock_t of many", spin_under, .many = true },
	{ "raw_spinlock_t", raw_under },
	{ "rwlock_t", rwlock_under },
	{ "rwlock_t, reader", rwlock_reader_under, true },
	{ "mutex", mutex_under },
	{ "rw_semaphore", rwsem_under },
	{ "rw_semaphore, reader", rwsem_reader_under, true },
};

KUNIT_ARRAY_PARAM_DESC(kind, kinds, name);

static void acquire(struct context *c)
{
	lock_acquire(c->guard[0]->lock, 0, 0, 0, 1, NULL, _THIS_IP_);
}

static void release(struct context *c)
{
	lock_release(c->guard[0]->lock, _THIS_IP_);
}

/* The code to watch. If it writes a field, it is that of object 0. */
static void rest(struct context *c) { }
static void touch(struct context *c) { c->object[0].field++; }
static void own(struct context *c) { c->kind->under(c, 0, touch); }
static void nested(struct context *c) { c->kind->under(c, 1, own); }
static void siblings(struct context *c) { c->kind->under(c, 1, touch); }
static void too_early(struct context *c) { touch(c); c->kind->under(c, 0, rest); }
static void too_late(struct context *c) { c->kind->under(c, 0, rest); touch(c); }
static void same_again(struct context *c) { own(c); c->object[0].field = 1; }
static void deadlock(struct context *c) { acquire(c); acquire(c); release(c); release(c); }
static void preemption_off(struct context *c) { preempt_disable(); }
static void interrupts_off(struct context *c) { local_irq_disable(); }

static const struct use {
	const char *name;
	void (*code)(struct context *c);
	bool finds, aborts, alone;
} uses[] = {
	{ "own lock", own },
	{ "own lock, inside the sibling's", nested },
	{ "own lock, not alone", nested, true, .alone = true },
	{ "no lock", touch, true },
	{ "the sibling's lock", siblings, true },
	{ "write before the lock", too_early, true },
	{ "write after the unlock", too_late, true },
	{ "same value after the unlock", same_again, true },
	{ "deadlock", deadlock, true },
	{ "lock not released", acquire, true, true },
	{ "lock released without being held", release, true, true },
	{ "preemption off", preemption_off, true },
	{ "interrupts off", interrupts_off, true },
};

/* lockdep would report some of these as well: turn it off, the watch does not need it. */
static void watch(void *data)
{
	struct context *c = data;

	lockdep_off();
	kunit_guarded_watch(&c->fake, "code")
		c->code(c);
	lockdep_on();
	kunit_expect_guarded(&c->fake);
}

static void aborted(void *data)
{
	struct context *c = data;

	c->aborted = true;
}

/* Return: whether watching @code leads to a finding. */
static bool finds(struct kunit *test, void (*code)(struct context *c))
{
	struct context *c = test->priv;

	c->code = code;
	c->aborted = false;
	c->object[0].field = 0;
	c->fake.status = KUNIT_SUCCESS;
	c->fake.try_catch = test->try_catch;
	c->fake.try_catch.try = watch;
	c->fake.try_catch.catch = aborted;
	kunit_try_catch_run(&c->fake.try_catch, c);
	return c->fake.status == KUNIT_FAILURE;
}

static struct context *context(struct kunit *test, const struct kind *kind)
{
	static const int poison = -1;
	struct context *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	kunit_init_test(&c->fake, "fake", NULL);
	test->priv = c;
	c->kind = kind;
	for (i = 0; i < ARRAY_SIZE(c->object); i++) {
		spin_lock_init(&c->object[i].spin);
		raw_spin_lock_init(&c->object[i].raw);
		rwlock_init(&c->object[i].rw);
		mutex_init(&c->object[i].mutex);
		init_rwsem(&c->object[i].sem);
		kind->under(c, i, NULL);
		c->guard[i]->poison = &poison;
	}
	for (i = 0; kind->many && i < ARRAY_SIZE(c->others); i++)
		kunit_guarded_by(&c->fake, &c->others[i], &c->object[0].raw, "other %u", i);
	return c;
}

static void context_exit(struct kunit *test)
{
	struct context *c = test->priv;

	if (c)
		kunit_cleanup(&c->fake);
}

static void guarded_write(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	const struct use *use;

	for (use = uses; use < uses + ARRAY_SIZE(uses); use++) {
		struct context *c = context(test, kind);

		c->guard[0]->alone = use->alone;
		c->guard[1]->alone = use->alone;
		KUNIT_EXPECT_EQ_MSG(test, finds(test, use->code), use->finds || kind->reads,
				    "%s", use->name);
		KUNIT_EXPECT_EQ_MSG(test, c->aborted, use->aborts, "%s", use->name);
		if (use->code == own)
			KUNIT_EXPECT_EQ(test, c->guard[0]->taken, !kind->reads);
		KUNIT_EXPECT_FALSE(test, c->guard[0]->tried);
		context_exit(test);
	}
	test->priv = NULL;
}

static void write_meanwhile(struct kunit_guarded *g, bool acquires)
{
	if (acquires)
		*(int *)g->field = 100;
}

/* A write by another holder is not a finding, and the watched code sees it. */
static void on_event(struct kunit *test)
{
	struct context *c = context(test, &kinds[0]);

	c->guard[0]->on_event = write_meanwhile;
	c->guard[0]->poison = NULL;
	KUNIT_EXPECT_FALSE(test, finds(test, own));
	KUNIT_EXPECT_EQ(test, c->object[0].field, 101);
}

static void trylock_once(struct context *c)
{
	if (spin_trylock(&c->object[0].spin)) {
		touch(c);
		spin_unlock(&c->object[0].spin);
	} else {
		touch(c);
	}
}

static void trylock_until_locked(struct context *c)
{
	while (!spin_trylock(&c->object[0].spin))
		cpu_relax();
	touch(c);
	spin_unlock(&c->object[0].spin);
}

static void trylock(struct kunit *test)
{
	struct context *c = context(test, &kinds[0]);
	spinlock_t *lock = &c->object[0].spin;
	bool found = false;
	unsigned int i;

	kunit_guarded_hold(&c->fake, lock);
	KUNIT_EXPECT_FALSE(test, finds(test, trylock_until_locked));
	KUNIT_EXPECT_TRUE(test, c->guard[0]->tried);
	/* If this CPU is delayed, the lock may be free again. */
	for (i = 0; i < 10 && !found && kunit_guarded_hold(&c->fake, lock); i++)
		found = finds(test, trylock_once);
	KUNIT_EXPECT_EQ(test, found, num_online_cpus() > 1);
}

static struct kunit_case guarded_test_cases[] = {
	KUNIT_CASE_PARAM(guarded_write, kind_gen_params),
	KUNIT_CASE(on_event),
	KUNIT_CASE(trylock),
	{}
};

static struct kunit_suite guarded_test_suite = {
	.name = "kunit_guarded",
	.exit = context_exit,
	.test_cases = guarded_test_cases,
};

kunit_test_suite(guarded_test_suite);

MODULE_DESCRIPTION("KUnit tests for <kunit/guarded.h>");
MODULE_LICENSE("GPL");
