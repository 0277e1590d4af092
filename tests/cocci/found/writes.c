// SPDX-License-Identifier: GPL-2.0-only
// Every way to write.

#include "unit.h"

void set_bit(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		set_bit(3, &other->flags); /* found */
		spin_unlock(&self->lock);
	}
}

void clear_bit(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		__clear_bit(3, &other->flags); /* found */
		spin_unlock(&self->lock);
	}
}

void test_and_set(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		if (!test_and_set_bit(3, &other->flags)) /* found */
			pr_info("set\n");
		spin_unlock(&self->lock);
	}
}

void list_del(struct unit *self)
{
	struct unit *other, *tmp;

	list_for_each_entry_safe(other, tmp, &self->hub->units, node) {
		spin_lock(&self->lock);
		list_del_init(&other->node); /* found */
		spin_unlock(&self->lock);
	}
}

void list_add_to(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		list_add_tail(&self->node, &other->kids); /* found */
		spin_unlock(&self->lock);
	}
}

void memset(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		memset(&other->cfg, 0, sizeof(other->cfg)); /* found */
		spin_unlock(&self->lock);
	}
}

void memcpy(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		memcpy(&other->cfg, &self->cfg, sizeof(other->cfg)); /* found */
		spin_unlock(&self->lock);
	}
}

void xchg(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		int old;

		spin_lock(&self->lock);
		old = xchg(&other->state, 0); /* found */
		self->hits += old;
		spin_unlock(&self->lock);
	}
}

void cmpxchg(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		if (cmpxchg(&other->state, 1, 0) != 1) /* found */
			self->hits++;
		spin_unlock(&self->lock);
	}
}

void struct_copy(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		other->cfg = self->cfg; /* found */
		spin_unlock(&self->lock);
	}
}

void atomic_set(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		atomic_set(&other->refs, 1); /* found */
		spin_unlock(&self->lock);
	}
}

void rb_erase(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		rb_link_node(&other->rb, NULL, NULL); /* found */
		spin_unlock(&self->lock);
	}
}

void strcpy(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		mutex_lock(&self->m);
		strscpy(other->name, "x", 2); /* found */
		mutex_unlock(&self->m);
	}
}
