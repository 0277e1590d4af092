// SPDX-License-Identifier: GPL-2.0-only
// The object with the lock changes in an outer loop only.

struct unit {
	spinlock_t lock;
	int state;
	struct unit *next;
};

void stop_each_for_each(struct unit *first)
{
	struct unit *unit, *other;

	for (unit = first; unit; unit = unit->next)
		for (other = first->next; other; other = other->next) {
			spin_lock(&unit->lock);
			other->state = 0;
			spin_unlock(&unit->lock);
		}
}
