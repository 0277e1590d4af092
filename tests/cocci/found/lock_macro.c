// SPDX-License-Identifier: GPL-2.0-only
// A macro of the file takes the lock.

#include "unit.h"

#define LOCK_UNIT(u) spin_lock(&(u)->lock)
#define UNLOCK_UNIT(u) spin_unlock(&(u)->lock)

void lock_by_macro(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		LOCK_UNIT(self);
		other->state = 0; /* found */
		UNLOCK_UNIT(self);
	}
}
