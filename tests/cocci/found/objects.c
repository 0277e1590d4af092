// SPDX-License-Identifier: GPL-2.0-only
// The locked object is an element, a static object, or reached through others.

#include "unit.h"

void array_of_structs(struct unit *dev, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		spin_lock(&dev[0].lock);
		dev[i].state = 0; /* found */
		spin_unlock(&dev[0].lock);
	}
}

void array_in_hub(struct hub *hub)
{
	int i;

	for (i = 0; i < hub->n; i++) {
		spin_lock(&hub->arr[0].lock);
		hub->arr[i].state = 0; /* found */
		spin_unlock(&hub->arr[0].lock);
	}
}

void array_ptr0(struct hub *hub)
{
	int i;

	for (i = 0; i < hub->n; i++) {
		spin_lock(&hub->tab[0]->lock);
		hub->tab[i]->state = 0; /* found */
		spin_unlock(&hub->tab[0]->lock);
	}
}

static struct unit units[8];

void static_array(struct unit *self)
{
	int i;

	for (i = 0; i < 8; i++) {
		mutex_lock(&self->m);
		units[i].state = 0; /* found */
		mutex_unlock(&self->m);
	}
}

static struct unit units[8];

void static_array_self_idx(int self)
{
	int i;

	for (i = 0; i < 8; i++) {
		mutex_lock(&units[self].m);
		units[i].state = 0; /* found */
		mutex_unlock(&units[self].m);
	}
}

void cur(struct hub *hub)
{
	struct unit *other;

	list_for_each_entry(other, &hub->units, node) {
		spin_lock(&hub->cur->lock);
		other->state = 0; /* found */
		spin_unlock(&hub->cur->lock);
	}
}

void by_typedef(unit_t *self)
{
	unit_t *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void local_self(struct hub *hub)
{
	struct unit *self = hub->cur;
	struct unit *other;

	list_for_each_entry(other, &hub->units, node) {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

static struct unit *boot;

void global_ptr(struct hub *hub)
{
	struct unit *other;

	list_for_each_entry(other, &hub->units, node) {
		spin_lock(&boot->lock);
		other->state = 0; /* found */
		spin_unlock(&boot->lock);
	}
}

void current_macro(struct hub *hub)
{
	struct unit *self = this_unit();
	struct unit *other;

	for (other = hub_first(hub); other; other = hub_next(hub, other)) {
		spin_lock_irq(&self->lock);
		other->state = 0; /* found */
		spin_unlock_irq(&self->lock);
	}
}
