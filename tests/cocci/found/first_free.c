// SPDX-License-Identifier: GPL-2.0-only
// The loop ends after the first write.

struct unit {
	struct mutex m;
	int state;
	struct list_head node;
};

struct unit *claim(struct unit *self, struct list_head *units)
{
	struct unit *other;

	list_for_each_entry(other, units, node) {
		mutex_lock(&self->m);
		if (!other->state) {
			other->state = 1;
			mutex_unlock(&self->m);
			return other;
		}
		mutex_unlock(&self->m);
	}
	return NULL;
}
