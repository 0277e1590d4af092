// SPDX-License-Identifier: GPL-2.0-only
// Out of reach: the outer iterator moves the locked object.

#include "unit.h"

void nested_iterators(struct hub *hub)
{
	struct unit *self, *other;

	list_for_each_entry(self, &hub->units, node) {
		list_for_each_entry(other, &hub->units, node) {
			spin_lock(&self->lock);
			other->state = 0;
			spin_unlock(&self->lock);
		}
	}
}
