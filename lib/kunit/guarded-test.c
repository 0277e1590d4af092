// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for <kunit/guarded.h>.
 *
 * Each kind of lock is used rightly and wrongly. Findings go to a test case of its own,
 * @fake, so that they do not fail the one that expects them.
 */

#include <kunit/guarded.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched/task.h>

struct object {
	int field;
	spinlock_t spin;		/* one of these guards @field */
	raw_spinlock_t raw;
	rwlock_t rw;
	struct mutex mutex;		/* or this */
	struct rw_semaphore sem;
};

struct context {
	struct kunit fake;
	struct object object[2];
	struct kunit_guarded *guard[2];
	const struct kind *kind;
	const struct ending *ending;
	struct completion started;
};

static void touch(struct context *c)
{
	c->object[0].field++;
}

static void rest(struct context *c)
{
}

static void spin_under(struct context *c, struct object *o, void (*code)(struct context *c))
{
	spin_lock(&o->spin);
	code(c);
	spin_unlock(&o->spin);
}

static void raw_under(struct context *c, struct object *o, void (*code)(struct context *c))
{
	raw_spin_lock(&o->raw);
	code(c);
	raw_spin_unlock(&o->raw);
}

static void writer_under(struct context *c, struct object *o, void (*code)(struct context *c))
{
	write_lock(&o->rw);
	code(c);
	write_unlock(&o->rw);
}

static void reader_under(struct context *c, struct object *o, void (*code)(struct context *c))
{
	read_lock(&o->rw);
	code(c);
	read_unlock(&o->rw);
}

static void mutex_under(struct context *c, struct object *o, void (*code)(struct context *c))
{
	mutex_lock(&o->mutex);
	code(c);
	mutex_unlock(&o->mutex);
}

static void sem_writer_under(struct context *c, struct object *o, void (*code)(struct context *c))
{
	down_write(&o->sem);
	code(c);
	up_write(&o->sem);
}

static void sem_reader_under(struct context *c, struct object *o, void (*code)(struct context *c))
{
	down_read(&o->sem);
	code(c);
	up_read(&o->sem);
}

static const struct kind {
	const char *name;
	void (*under)(struct context *c, struct object *o, void (*code)(struct context *c));
	bool reads;
} kinds[] = {
	{ "spinlock_t", spin_under },
	{ "raw_spinlock_t", raw_under },
	{ "rwlock_t", writer_under },
	{ "rwlock_t, reader", reader_under, true },
	{ "mutex", mutex_under },
	{ "rw_semaphore", sem_writer_under },
	{ "rw_semaphore, reader", sem_reader_under, true },
};

KUNIT_ARRAY_PARAM_DESC(kind, kinds, name);

static struct kunit_guarded *declare(struct context *c, struct object *o)
{
	if (c->kind->under == spin_under)
		return kunit_guarded_by(&c->fake, &o->field, &o->spin, "an object");
	if (c->kind->under == raw_under)
		return kunit_guarded_by(&c->fake, &o->field, &o->raw, "an object");
	if (c->kind->under == mutex_under)
		return kunit_guarded_by(&c->fake, &o->field, &o->mutex, "an object");
	if (c->kind->under == writer_under || c->kind->under == reader_under)
		return kunit_guarded_by(&c->fake, &o->field, &o->rw, "an object");
	return kunit_guarded_by(&c->fake, &o->field, &o->sem, "an object");
}

static void under(struct context *c, unsigned int i, void (*code)(struct context *c))
{
	c->kind->under(c, &c->object[i], code);
}

/* What the watched code does; object 0 has the field */
static void own(struct context *c) { under(c, 0, touch); }
static void twice(struct context *c) { own(c); own(c); }
static void nested(struct context *c) { under(c, 1, own); }
static void siblings(struct context *c) { under(c, 1, touch); }
static void too_early(struct context *c) { touch(c); under(c, 0, rest); }
static void too_late(struct context *c) { under(c, 0, rest); touch(c); }
static void between(struct context *c) { own(c); touch(c); own(c); }
static void same_again(struct context *c) { own(c); WRITE_ONCE(c->object[0].field, 1); }

static const struct use {
	const char *name;
	void (*code)(struct context *c);
	bool wrong;
} uses[] = {
	{ "own lock", own },
	{ "own lock, twice", twice },
	{ "own lock, inside the sibling's", nested },
	{ "no lock", touch, true },
	{ "the sibling's lock", siblings, true },
	{ "write before the lock", too_early, true },
	{ "write after the unlock", too_late, true },
	{ "write between two locks", between, true },
	{ "same value after the unlock", same_again, true },
};

static struct context *context(struct kunit *test, const struct kind *kind)
{
	struct context *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	kunit_init_test(&c->fake, "fake", NULL);
	test->priv = c;
	c->kind = kind;
	init_completion(&c->started);
	for (i = 0; i < ARRAY_SIZE(c->object); i++) {
		spin_lock_init(&c->object[i].spin);
		raw_spin_lock_init(&c->object[i].raw);
		rwlock_init(&c->object[i].rw);
		mutex_init(&c->object[i].mutex);
		init_rwsem(&c->object[i].sem);
		c->guard[i] = declare(c, &c->object[i]);
	}
	return c;
}

static void context_exit(struct kunit *test)
{
	struct context *c = test->priv;

	if (c)
		kunit_cleanup(&c->fake);
}

/* The watch does not need lockdep's own view, which would report some of these. */
static void watch(struct context *c, void (*code)(struct context *c))
{
	lockdep_off();
	kunit_guarded_watch(&c->fake, "code")
		code(c);
	lockdep_on();
}

static void expect_finding(struct kunit *test, bool finding)
{
	const struct context *c = test->priv;

	KUNIT_EXPECT_EQ(test, c->fake.status, finding ? KUNIT_FAILURE : KUNIT_SUCCESS);
}

static void guarded_write(struct kunit *test)
{
	static const int poison = -1;
	const struct kind *kind = test->param_value;
	struct context *c = context(test, kind);
	const struct use *use;

	for (use = uses; use < uses + ARRAY_SIZE(uses); use++) {
		c->fake.status = KUNIT_SUCCESS;
		c->object[0].field = 0;
		c->guard[0]->poison = use->code == same_again ? &poison : NULL;
		watch(c, use->code);
		kunit_expect_guarded(&c->fake);
		KUNIT_EXPECT_EQ_MSG(test, c->guard[0]->unguarded, use->wrong || kind->reads,
				    "%s", use->name);
		KUNIT_EXPECT_FALSE_MSG(test, c->guard[1]->unguarded, "%s", use->name);
		expect_finding(test, use->wrong || kind->reads);
	}
}

static void one_at_a_time(struct kunit *test)
{
	struct context *c = context(test, &kinds[0]);

	watch(c, twice);
	kunit_expect_one_guard(&c->fake);
	expect_finding(test, false);
	KUNIT_EXPECT_EQ(test, c->guard[0]->taken, 2);
	KUNIT_EXPECT_EQ(test, c->guard[1]->taken, 0);
	watch(c, nested);
	kunit_expect_one_guard(&c->fake);
	expect_finding(test, true);
}

static void write_meanwhile(struct kunit *fake, struct kunit_guarded *acquired)
{
	if (acquired)
		*(int *)acquired->field = 100;
}

/* What another holder wrote is no finding, and the watched code sees it. */
static void on_event(struct kunit *test)
{
	struct context *c = context(test, &kinds[0]);

	kunit_guarded_on_event(&c->fake, write_meanwhile);
	watch(c, own);
	kunit_expect_guarded(&c->fake);
	expect_finding(test, false);
	KUNIT_EXPECT_EQ(test, c->object[0].field, 101);
}

static void trylock_once(struct context *c)
{
	bool locked = spin_trylock(&c->object[0].spin);

	touch(c);
	if (locked)
		spin_unlock(&c->object[0].spin);
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
	unsigned int i;

	watch(c, own);
	KUNIT_EXPECT_FALSE(test, c->guard[0]->tried);
	watch(c, trylock_once);
	KUNIT_EXPECT_TRUE(test, c->guard[0]->tried);
	if (!kunit_guarded_hold(&c->fake, lock))
		return;
	watch(c, trylock_until_locked);
	kunit_expect_guarded(&c->fake);
	expect_finding(test, false);
	/* If this CPU is delayed, the lock may be free again. */
	for (i = 0; i < 10 && c->fake.status == KUNIT_SUCCESS; i++) {
		kunit_guarded_hold(&c->fake, lock);
		watch(c, trylock_once);
		kunit_expect_guarded(&c->fake);
	}
	expect_finding(test, true);
}

/* As a task that deadlocks would be seen, without one. */
static void deadlock(struct context *c)
{
	struct lockdep_map *map = &c->object[0].spin.dep_map;

	lock_acquire(map, 0, 0, 0, 1, NULL, _THIS_IP_);
	lock_acquire(map, 0, 0, 0, 1, NULL, _THIS_IP_);
	lock_release(map, _THIS_IP_);
	lock_release(map, _THIS_IP_);
}

static void leak(struct context *c)
{
	lock_acquire(&c->object[0].spin.dep_map, 0, 0, 0, 1, NULL, _THIS_IP_);
}

static void release_twice(struct context *c)
{
	own(c);
	lock_release(&c->object[0].spin.dep_map, _THIS_IP_);
}

static void leave_preemption_off(struct context *c)
{
	preempt_disable();
}

static void leave_interrupts_off(struct context *c)
{
	local_irq_disable();
}

static const struct ending {
	const char *name;
	void (*code)(struct context *c);
	bool aborts;
} endings[] = {
	{ "deadlock", deadlock, true },
	{ "leak", leak, true },
	{ "released twice", release_twice, true },
	{ "preemption off", leave_preemption_off },
	{ "interrupts off", leave_interrupts_off },
};

KUNIT_ARRAY_PARAM_DESC(ending, endings, name);

static int watch_ending(void *data)
{
	struct context *c = data;

	complete(&c->started);
	watch(c, c->ending->code);
	return 1;
}

/* What the code leaves behind is a finding. A leaked lock also aborts the case. */
static void bad_ending(struct kunit *test)
{
	struct context *c = context(test, &kinds[0]);
	struct task_struct *thread = kthread_create(watch_ending, c, "guarded-test");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);
	c->ending = test->param_value;
	get_task_struct(thread);
	wake_up_process(thread);
	wait_for_completion(&c->started);
	KUNIT_EXPECT_EQ(test, kthread_stop(thread), !c->ending->aborts);
	put_task_struct(thread);
	expect_finding(test, true);
}

/* With that many fields, an event looks only at those of its lock. */
static void many_fields(struct kunit *test)
{
	struct context *c = context(test, &kinds[0]);
	struct kunit_guarded *guard = NULL;
	static struct object objects[100];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		spin_lock_init(&objects[i].spin);
		guard = kunit_guarded_by(&c->fake, &objects[i].field, &objects[i].spin, "%u", i);
	}
	kunit_guarded_watch(&c->fake, "code") {
		for (i = 0; i < ARRAY_SIZE(objects); i++) {
			spin_lock(&objects[i].spin);
			objects[i].field++;
			spin_unlock(&objects[i].spin);
		}
	}
	kunit_expect_guarded(&c->fake);
	expect_finding(test, false);
	kunit_guarded_watch(&c->fake, "code")
		objects[i - 1].field++;
	kunit_expect_guarded(&c->fake);
	expect_finding(test, true);
	KUNIT_EXPECT_TRUE(test, guard->unguarded);
}

static struct kunit_case guarded_test_cases[] = {
	KUNIT_CASE_PARAM(guarded_write, kind_gen_params),
	KUNIT_CASE(one_at_a_time),
	KUNIT_CASE(on_event),
	KUNIT_CASE(trylock),
	KUNIT_CASE_PARAM(bad_ending, ending_gen_params),
	KUNIT_CASE(many_fields),
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
