// SPDX-License-Identifier: GPL-2.0-only
// A helper with "locked" in its name does not take the lock.

struct unit {
	struct mutex m;
	int state;
	struct list_head node;
};

void stop_all(struct unit *self, struct list_head *units)
{
	struct unit *other;

	list_for_each_entry(other, units, node) {
		mutex_lock(&self->m);
		unit_disable_locked(other);
		other->state = 0;
		mutex_unlock(&self->m);
	}
}
