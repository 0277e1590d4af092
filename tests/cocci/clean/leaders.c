// SPDX-License-Identifier: GPL-2.0-only
// The lock of a leader.

#include "unit.h"

void around_retry(struct unit *parent)
{
	struct unit *kid;

again:
	spin_lock(&parent->lock);
	for (kid = parent->next; kid; kid = kid->next)
		kid->state = 0;
	spin_unlock(&parent->lock);
	if (parent->hits)
		goto again;
}

void around_retry_list(struct unit *parent)
{
	struct unit *kid;

	while (parent->state) {
		mutex_lock(&parent->m);
		list_for_each_entry(kid, &parent->kids, node)
			kid->state = 0;
		mutex_unlock(&parent->m);
	}
}

void each_parent_kids(struct hub *hub)
{
	struct unit *parent, *kid;

	list_for_each_entry(parent, &hub->units, node) {
		spin_lock(&parent->lock);
		list_for_each_entry(kid, &parent->kids, node)
			kid->state = 0;
		spin_unlock(&parent->lock);
	}
}

void kids_of_parent_each(struct unit *parent)
{
	struct unit *kid, *tmp;

	list_for_each_entry_safe(kid, tmp, &parent->kids, node) {
		spin_lock(&parent->lock);
		kid->state = 0;
		spin_unlock(&parent->lock);
	}
}

void around_guard(struct unit *self)
{
	struct unit *other;

	guard(mutex)(&self->m);
	list_for_each_entry(other, &self->hub->units, node)
		other->state = 0;
}

void kids_by_owner(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		if (other->parent == self)
			other->state = 0;
		spin_unlock(&self->lock);
	}
}

void hub_lock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->hub->lock);
		other->state = 0;
		spin_unlock(&self->hub->lock);
	}
}

void parent_local(struct hub *hub)
{
	struct unit *other;

	list_for_each_entry(other, &hub->units, node) {
		struct unit *parent = other->parent;

		spin_lock(&parent->lock);
		other->state = 0;
		spin_unlock(&parent->lock);
	}
}

void parent_break(struct hub *hub, int id)
{
	struct unit *other, *parent;

	list_for_each_entry(other, &hub->units, node) {
		if (other->id != id)
			continue;
		parent = other->parent;
		spin_lock(&parent->lock);
		other->state = 0;
		spin_unlock(&parent->lock);
		break;
	}
}
