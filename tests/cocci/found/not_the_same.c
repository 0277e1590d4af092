// SPDX-License-Identifier: GPL-2.0-only
// A comparison that does not make the two objects the same.

#include "unit.h"

void skip_self(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other == self)
			continue;
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void not_self(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other != self) {
			spin_lock(&self->lock);
			other->state = 0; /* found */
			spin_unlock(&self->lock);
		}
	}
}

void eq_or(struct unit *self, int force)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other == self || force) {
			spin_lock(&self->lock);
			other->state = 0; /* found */
			spin_unlock(&self->lock);
		}
	}
}

void own_before_unlocked(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		unit_lock(other);
		other->hits = 0;
		unit_unlock(other);
		mutex_lock(&self->m);
		other->state = 0; /* found */
		mutex_unlock(&self->m);
	}
}

void write_to_ref_then_own_read(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		other->parent = self; /* found */
		spin_unlock(&self->lock);
		spin_lock(&other->lock);
		other->state = 1;
		spin_unlock(&other->lock);
	}
}
