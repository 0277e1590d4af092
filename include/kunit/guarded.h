/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test that a field is written only while the lock that guards it is held.
 *
 * See Documentation/dev-tools/kunit/api/guarded.rst.
 */
#ifndef _KUNIT_GUARDED_H
#define _KUNIT_GUARDED_H

#include <kunit/test.h>
#include <linux/lockdep.h>
#include <linux/spinlock.h>

/**
 * struct kunit_guarded - A field, the lock that guards it, and how the code used the lock
 * @field: The field.
 * @poison: If set, points to a value of the field's size. It is written to the field
 *	whenever the lock is released, to expose later writes that would not change it.
 * @alone: Set this for one field of each lock to expect that no two such locks are held
 *	at the same time.
 * @on_event: If set, called with interrupts off when the watched code takes or releases
 *	any lock. If @acquires, the code is about to wait for this field's lock, and the
 *	function may change the field as the lock's previous holder might have done. It
 *	must not use locks or expectations. Not called with more than 64 fields.
 * @taken: How often the watched code took the lock, other than for reading.
 * @tried: Whether a trylock of the watched code succeeded.
 */
struct kunit_guarded {
	void *field;
	const void *poison;
	bool alone;
	void (*on_event)(struct kunit_guarded *g, bool acquires);
	unsigned int taken;
	bool tried;

	/* private: */
	struct list_head list;
	struct hlist_node by_lock;
	struct lockdep_map *lock;
	const char *field_name, *lock_name;
	char name[32];			/* of the object */
	char finding[256];		/* the latest, if any */
	int held;			/* negative: released too often */
	bool reading;
	size_t size;
	u8 seen[];			/* last known value of the field */
};

#ifdef CONFIG_LOCKDEP
#define __kunit_guarded_map(lock)	(&(lock)->dep_map)
#else
#define __kunit_guarded_map(lock)	((void)(lock), (struct lockdep_map *)NULL)
#endif

struct kunit_guarded *__printf(7, 8)
__kunit_guarded_by(struct kunit *test, void *field, size_t size, const char *field_name,
		   struct lockdep_map *lock, const char *lock_name, const char *fmt, ...);
struct kunit_guarded_watch *__printf(2, 3)
__kunit_guarded_begin(struct kunit *test, const char *fmt, ...);
struct kunit_guarded_watch *__kunit_guarded_end(struct kunit_guarded_watch *w);

/**
 * kunit_guarded_by() - Declare which lock guards a field
 * @test: The test case. The field and the lock must outlive it.
 * @field: Pointer to the field, of any size.
 * @lock: Pointer to the lock: a spinlock_t, raw_spinlock_t, rwlock_t, struct mutex
 *	or struct rw_semaphore, already initialized.
 * @fmt: printf format, with arguments, that names the object in messages.
 *
 * Context: may sleep.
 * Return: The &struct kunit_guarded, freed when @test ends. Failure aborts @test.
 */
#define kunit_guarded_by(test, field, lock, fmt, ...) ({			\
	typeof(field) __field = (field);					\
										\
	__kunit_guarded_by(test, __field, sizeof(*__field), #field,		\
			   __kunit_guarded_map(lock), #lock, fmt, ##__VA_ARGS__); \
})

/**
 * kunit_guarded_watch() - Watch the locks while the following statement runs
 * @test: The test case. It must hold none of the locks.
 * @fmt: printf format, with arguments, that says what the statement does.
 *
 * Call kunit_expect_guarded() or look at &struct kunit_guarded afterwards. If the
 * statement leaves a lock held, @test fails and is aborted; if it changes the preemption
 * count or the interrupt state, @test fails. Do not leave the statement by break, goto,
 * return or a failed assertion.
 *
 * Context: may sleep; the statement runs in the caller's context.
 */
#define kunit_guarded_watch(test, fmt, ...)					\
	for (struct kunit_guarded_watch *__w =					\
		     __kunit_guarded_begin(test, fmt, ##__VA_ARGS__);		\
	     __w; __w = __kunit_guarded_end(__w))

void kunit_guarded_require(struct kunit *test);
bool kunit_guarded_hold(struct kunit *test, spinlock_t *lock);
void kunit_expect_guarded(struct kunit *test);

#endif /* _KUNIT_GUARDED_H */
