// SPDX-License-Identifier: GPL-2.0-only
// The object with the lock is the one that the loop goes through, not the written one.

struct unit {
	spinlock_t lock;
	int state;
	struct unit *peer;
	struct list_head node;
};

void stop_peers(struct list_head *units)
{
	struct unit *unit, *other;

	list_for_each_entry(unit, units, node) {
		other = unit->peer;
		spin_lock(&unit->lock);
		other->state = 0;
		spin_unlock(&unit->lock);
	}
}
