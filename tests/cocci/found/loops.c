// SPDX-License-Identifier: GPL-2.0-only
// Every kind of loop.

#include "unit.h"

void do_while(struct unit *self, struct unit *other)
{
	do {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
		other = other->next;
	} while (other);
}

void ring(struct unit *self)
{
	struct unit *other;

	for (other = self->next; other != self; other = other->next) {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void assign_in_cond(struct unit *self)
{
	struct unit *other;

	while ((other = hub_pop(self->hub))) {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void by_ref(struct unit *self)
{
	struct unit *other;

	while (hub_next(self->hub, &other)) {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void xa(struct unit *self)
{
	struct unit *other;
	unsigned long i;

	xa_for_each(&self->hub->xa, i, other) {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void kvm_each(struct unit *vcpu)
{
	struct unit *tmp;
	unsigned long i;

	kvm_for_each_vcpu(i, tmp, vcpu->hub) {
		spin_lock(&vcpu->lock);
		WRITE_ONCE(tmp->state, 0); /* found */
		spin_unlock(&vcpu->lock);
	}
}

void hash(struct unit *self)
{
	struct unit *other;
	int bkt;

	hash_for_each(table, bkt, other, node) {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void list_for_each(struct unit *self)
{
	struct list_head *pos;

	list_for_each(pos, &self->hub->units) {
		struct unit *other = list_entry(pos, struct unit, node);

		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void goto_loop(struct unit *self, struct hub *hub)
{
	struct unit *other;
	int i = 0;

again:
	other = hub->tab[i];
	spin_lock(&self->lock);
	other->state = 0; /* found */
	spin_unlock(&self->lock);
	if (++i < hub->n)
		goto again;
}

void set_bits(struct unit *self, struct hub *hub)
{
	int i;

	for_each_set_bit(i, &self->flags, 8) {
		spin_lock(&self->lock);
		hub->tab[i]->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void while_count(struct unit *self, struct hub *hub, int n)
{
	while (n--) {
		spin_lock(&self->lock);
		hub->tab[n]->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void ptr_walk(struct unit *self, struct unit *units, int n)
{
	struct unit *other;

	for (other = units; other < units + n; other++) {
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void reverse(struct unit *self)
{
	struct unit *other;

	list_for_each_entry_reverse(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		other->next = NULL; /* found */
		spin_unlock(&self->lock);
	}
}

void decl_in_for(struct unit *self, struct hub *hub)
{
	for (int i = 0; i < hub->n; i++) {
		spin_lock(&self->lock);
		hub->tab[i]->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void looked_up_under_lock(struct unit *self, struct hub *hub)
{
	struct unit *other;
	int i;

	for (i = 0; i < hub->n; i++) {
		spin_lock(&self->lock);
		other = hub->tab[i];
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void looked_up_checked(struct unit *self, struct hub *hub)
{
	struct unit *other;
	int i;

	for (i = 0; i < hub->n; i++) {
		spin_lock(&self->lock);
		other = hub_get(hub, i);
		if (other)
			other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void cond_continue_unlock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		mutex_lock(&self->m);
		if (other->id < 0) {
			mutex_unlock(&self->m);
			continue;
		}
		other->state = 0; /* found */
		mutex_unlock(&self->m);
	}
}

void unlock_relock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		while (other->state) {
			spin_unlock(&self->lock);
			cpu_relax();
			spin_lock(&self->lock);
			other->state--; /* found */
		}
		spin_unlock(&self->lock);
	}
}

void switch_case(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		switch (other->state) {
		case 1:
			other->state = 0; /* found */
			break;
		default:
			break;
		}
		spin_unlock(&self->lock);
	}
}

void goto_unlock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		if (!other->state)
			goto next;
		other->state = 0; /* found */
		next:
		spin_unlock(&self->lock);
	}
}

void search_then_break(struct unit *self, int id)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other->id != id)
			continue;
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
		break;
	}
}
