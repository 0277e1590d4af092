// SPDX-License-Identifier: GPL-2.0-only
// The first object of a list that is not the locked object's.
#include "unit.h"

void stop_all(struct unit *unit)
{
	struct unit *other;

	for (;;) {
		spin_lock(&unit->lock);
		other = list_first_entry_or_null(&unit->hub->units, struct unit, node);
		if (!other)
			break;
		other->state = 0; /* found */
		spin_unlock(&unit->lock);
		drop(other);
	}
}
