// SPDX-License-Identifier: GPL-2.0-only
// The lock is released before the write.

#include "unit.h"

void unlock_macro(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		self->hits++;
		UNLOCK_UNIT(self);
		other->state = 0;
	}
}

void unlock_unknown_helper(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		self->hits++;
		unit_finish(self);
		other->state = 0;
	}
}

void unlock_bit(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		bit_spin_lock(0, &self->flags);
		self->hits++;
		bit_spin_unlock(0, &self->flags);
		other->state = 0;
	}
}

void unlock_up(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		down(&self->sem);
		self->hits++;
		up(&self->sem);
		other->state = 0;
	}
}

void unlock_seq(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		write_seqlock(&self->seq);
		self->hits++;
		write_sequnlock(&self->seq);
		other->state = 0;
	}
}

void unlock_guard_scope(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		scoped_guard(mutex, &self->m)
			self->hits++;
		other->state = 0;
	}
}

void released_before_cond(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		mutex_lock(&self->m);
		if (self->hits) {
			mutex_unlock(&self->m);
			other->state = 0;
			continue;
		}
		mutex_unlock(&self->m);
	}
}

void try_failed_write(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (!mutex_trylock(&self->m)) {
			other->state = 0;
			continue;
		}
		self->hits++;
		mutex_unlock(&self->m);
	}
}
