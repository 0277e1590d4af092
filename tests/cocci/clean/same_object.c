// SPDX-License-Identifier: GPL-2.0-only
// The written object is the locked one.

#include "unit.h"

void if_self_and(struct unit *self, int on)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		if (on && self == other)
			other->state = 0;
		spin_unlock(&self->lock);
	}
}

void if_not_self_continue(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other != self)
			continue;
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
	}
}

void if_not_self_else(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		if (other != self)
			self->hits++;
		else
			other->state = 0;
		spin_unlock(&self->lock);
	}
}

void if_id(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other->id == self->id) {
			spin_lock(&self->lock);
			other->state = 0;
			spin_unlock(&self->lock);
		}
	}
}

void if_self_else(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other == self) {
			spin_lock(&self->lock);
			other->state = 0;
			spin_unlock(&self->lock);
		} else {
			spin_lock(&other->lock);
			other->state = 0;
			spin_unlock(&other->lock);
		}
	}
}

void self_reassigned(struct hub *hub)
{
	struct unit *other, *self;

	list_for_each_entry(other, &hub->units, node) {
		self = other;
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
	}
}

void own_elem(struct unit *units, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		spin_lock(&units[i].lock);
		units[i].state = 0;
		spin_unlock(&units[i].lock);
	}
}

void own_elem_ptr(struct unit *units, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct unit *other = &units[i];

		spin_lock(&units[i].lock);
		other->state = 0;
		spin_unlock(&units[i].lock);
	}
}

void own_elem_ptr2(struct unit *units, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct unit *other = &units[i];

		spin_lock(&other->lock);
		units[i].state = 0;
		spin_unlock(&other->lock);
	}
}

void own_tab_ptr(struct hub *hub)
{
	int i;

	for (i = 0; i < hub->n; i++) {
		struct unit *other = hub->tab[i];

		spin_lock(&other->lock);
		hub->tab[i]->state = 0;
		spin_unlock(&other->lock);
	}
}
