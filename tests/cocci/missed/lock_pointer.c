// SPDX-License-Identifier: GPL-2.0-only
// Out of reach: the lock is taken through a pointer to it.

#include "unit.h"

void through_pointer(struct unit *self)
{
	spinlock_t *lock = &self->lock;
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(lock);
		other->state = 0;
		spin_unlock(lock);
	}
}
