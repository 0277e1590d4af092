// SPDX-License-Identifier: GPL-2.0-only
// The own lock, whatever takes it.

#include "unit.h"

void own_nested(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		mutex_lock_nested(&other->m, 1);
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
		mutex_unlock(&other->m);
	}
}

void own_down_interruptible(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (down_interruptible(&other->sem))
			continue;
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
		up(&other->sem);
	}
}

void own_seq(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		write_seqlock(&other->seq);
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
		write_sequnlock(&other->seq);
	}
}

void own_percpu(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		percpu_down_write(&other->prw);
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
		percpu_up_write(&other->prw);
	}
}

void own_class(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		CLASS(mutex, g)(&other->m);
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
	}
}

void own_after(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		raw_spin_lock(&other->rlock);
		other->state = 0;
		raw_spin_unlock(&other->rlock);
		spin_unlock(&self->lock);
	}
}

void own_via_pointer(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spinlock_t *lock = &other->lock;

		spin_lock(lock);
		mutex_lock(&self->m);
		other->state = 0;
		mutex_unlock(&self->m);
		spin_unlock(lock);
	}
}

void own_both_helper(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		unit_lock_two(self, other);
		other->state = 0;
		unit_unlock_two(self, other);
	}
}

void own_both_helper2(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		double_lock(self, other);
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
		double_unlock(self, other);
	}
}

void found_locked(struct unit *self, struct hub *hub)
{
	struct unit *other;
	int i;

	for (i = 0; i < hub->n; i++) {
		other = hub_find_locked(hub, i);
		mutex_lock(&self->m);
		other->state = 0;
		mutex_unlock(&self->m);
		unit_unlock(other);
	}
}

void own_assert(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		lockdep_assert_held_write(&other->rw);
		mutex_lock(&self->m);
		other->state = 0;
		mutex_unlock(&self->m);
	}
}

void own_acquire(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		unit_acquire(other);
		mutex_lock(&self->m);
		other->state = 0;
		mutex_unlock(&self->m);
		unit_release(other);
	}
}

void own_macro_upper(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		UNIT_LOCK_IRQ(other);
		mutex_lock(&self->m);
		other->state = 0;
		mutex_unlock(&self->m);
		UNIT_UNLOCK_IRQ(other);
	}
}

void own_guard_irq(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		guard(spinlock_irq)(&other->lock);
		guard(mutex)(&self->m);
		other->state = 0;
	}
}

void own_rwsem_read(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		down_read(&other->rwsem);
		mutex_lock(&self->m);
		other->hits++;
		mutex_unlock(&self->m);
		up_read(&other->rwsem);
	}
}

void own_killable(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (mutex_lock_killable(&other->m))
			return;
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
		mutex_unlock(&other->m);
	}
}

void own_trylock_loop(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		while (!spin_trylock(&other->lock))
			cpu_relax();
		mutex_lock(&self->m);
		other->state = 0;
		mutex_unlock(&self->m);
		spin_unlock(&other->lock);
	}
}

void lock_owner_is_arg(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		hub_lock_unit(self->hub, other);
		mutex_lock(&self->m);
		other->state = 0;
		mutex_unlock(&self->m);
		hub_unlock_unit(self->hub, other);
	}
}
