// SPDX-License-Identifier: GPL-2.0-only
// The object was made in this iteration.

#include "unit.h"

int kmem_cache(struct unit *parent, int n)
{
	struct unit *kid;

	while (n--) {
		kid = kmem_cache_alloc(cache, GFP_KERNEL);
		if (!kid)
			return -ENOMEM;
		spin_lock(&parent->lock);
		kid->state = 1;
		spin_unlock(&parent->lock);
	}
	return 0;
}

int kmalloc_obj(struct unit *self, int n)
{
	struct unit *kid;

	while (n--) {
		kid = kmalloc_obj(*kid);
		if (!kid)
			return -ENOMEM;
		spin_lock(&self->lock);
		kid->state = 1;
		list_add(&kid->node, &self->kids);
		spin_unlock(&self->lock);
	}
	return 0;
}

int unit_new(struct unit *self, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct unit *kid = unit_new(self->hub, i);

		spin_lock(&self->lock);
		kid->next = self->next;
		self->next = kid;
		spin_unlock(&self->lock);
	}
	return 0;
}

int kmemdup(struct unit *self, int n)
{
	struct unit *kid;

	do {
		kid = kmemdup(self, sizeof(*self), GFP_KERNEL);
		if (!kid)
			break;
		mutex_lock(&self->m);
		kid->parent = self;
		mutex_unlock(&self->m);
	} while (--n);
	return 0;
}

int alloc_in_cond(struct unit *self)
{
	struct unit *kid;

	while ((kid = unit_alloc(self->hub))) {
		mutex_lock(&self->m);
		kid->parent = self;
		mutex_unlock(&self->m);
	}
	return 0;
}

int clone(struct unit *self, int n)
{
	while (n-- > 0) {
		struct unit *kid = unit_clone(self);

		if (IS_ERR(kid))
			return PTR_ERR(kid);
		mutex_lock(&self->m);
		kid->id = n;
		mutex_unlock(&self->m);
	}
	return 0;
}

int devm(struct unit *self, int n)
{
	struct unit *kid;

	while (n-- > 0) {
		kid = devm_kzalloc(NULL, sizeof(*kid), GFP_KERNEL);
		mutex_lock(&self->m);
		kid->id = n;
		mutex_unlock(&self->m);
	}
	return 0;
}

void local_copy(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		struct unit copy = *other;

		spin_lock(&self->lock);
		copy.state = self->state;
		spin_unlock(&self->lock);
		unit_show(&copy);
	}
}
