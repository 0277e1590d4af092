// SPDX-License-Identifier: GPL-2.0-only
// The locked object changes as well.

#include "unit.h"

void walk_both(struct unit *a, struct unit *b)
{
	for (; a && b; a = a->next, b = b->next) {
		spin_lock(&a->lock);
		b->state = a->state;
		spin_unlock(&a->lock);
	}
}

void index_lock(struct hub *a, struct hub *b)
{
	int i;

	for (i = 0; i < 8; i++) {
		spin_lock(&a->arr[i].lock);
		b->arr[i].state = 0;
		spin_unlock(&a->arr[i].lock);
	}
}

void index_lock_iter(struct unit *self, struct hub *hub)
{
	int i;

	for_each_set_bit(i, &self->flags, 8) {
		spin_lock(&self->locks[i]);
		hub->tab[i]->state = 0;
		spin_unlock(&self->locks[i]);
	}
}

void no_cursor(struct unit *self, struct unit *other, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		spin_lock(&self->lock);
		other->state = i;
		spin_unlock(&self->lock);
	}
}

void reads_only(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		self->hits += READ_ONCE(other->state);
		if (test_bit(0, &other->flags))
			self->state = 1;
		memcpy(&self->cfg, &other->cfg, sizeof(self->cfg));
		spin_unlock(&self->lock);
	}
}

void follow(struct unit *first)
{
	struct unit *unit, *next;

	for (unit = first; unit->state; unit = next) {
		next = unit->next;
		spin_lock(&unit->lock);
		next->hits = 1;
		spin_unlock(&unit->lock);
	}
}
