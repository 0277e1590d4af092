// SPDX-License-Identifier: GPL-2.0-only
// Guards that hold the lock to the end of a scope.

#include "unit.h"

void guard_irqsave(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		guard(spinlock_irqsave)(&self->lock);
		other->state = 0; /* found */
	}
}

void guard_write(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		guard(write_lock)(&self->rw);
		WRITE_ONCE(other->state, 0); /* found */
	}
}

void guard_rwsem(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		guard(rwsem_write)(&self->rwsem);
		other->state = 0; /* found */
	}
}

void scoped_try(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		scoped_guard(mutex_try, &self->m)
			other->state = 0; /* found */
	}
}

int acquire(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		ACQUIRE(mutex_intr, lock)(&self->m);
		if (ACQUIRE_ERR(mutex_intr, &lock))
			return -EINTR;
		other->state = 0; /* found */
	}
	return 0;
}

void class_guard(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		CLASS(spinlock, g)(&self->lock);
		other->state = 0; /* found */
	}
}
