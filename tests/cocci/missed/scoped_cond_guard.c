// SPDX-License-Identifier: GPL-2.0-only
// Out of reach: spatch cannot parse scoped_cond_guard().

#include "unit.h"

int scoped_intr(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		scoped_cond_guard(mutex_intr, return -EINTR, &self->m) {
			other->state = 0;
		}
	}
	return 0;
}
