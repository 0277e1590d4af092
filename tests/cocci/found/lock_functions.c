// SPDX-License-Identifier: GPL-2.0-only
// Every function that takes a lock.

#include "unit.h"

void spin_nested2(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock_irqsave_nested(&self->lock, flags, 1);
		other->state = 0; /* found */
		spin_unlock_irqrestore(&self->lock, flags);
	}
}

void mutex_nested(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		mutex_lock_nested(&self->m, 1);
		other->state = 0; /* found */
		mutex_unlock(&self->m);
	}
}

void raw_bh(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		raw_spin_lock_bh(&self->rlock);
		other->state = 0; /* found */
		raw_spin_unlock_bh(&self->rlock);
	}
}

void read_bh(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		read_lock_bh(&self->rw);
		other->hits++; /* found */
		read_unlock_bh(&self->rw);
	}
}

void read_irqsave(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		unsigned long flags;

		read_lock_irqsave(&self->rw, flags);
		other->hits += 2; /* found */
		read_unlock_irqrestore(&self->rw, flags);
	}
}

void write_irq(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		write_lock_irq(&self->rw);
		other->state = 0; /* found */
		write_unlock_irq(&self->rw);
	}
}

void down_read(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		down_read(&self->rwsem);
		other->state = 0; /* found */
		up_read(&self->rwsem);
	}
}

void down_write_nested(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		down_write_nested(&self->rwsem, 1);
		other->state = 0; /* found */
		up_write(&self->rwsem);
	}
}

int down_write_killable(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (down_write_killable(&self->rwsem))
			return -EINTR;
		other->state = 0; /* found */
		up_write(&self->rwsem);
	}
	return 0;
}

void down_write_trylock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (down_write_trylock(&self->rwsem)) {
			other->state = 0; /* found */
			up_write(&self->rwsem);
		}
	}
}

void sem_down(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		down(&self->sem);
		other->state = 0; /* found */
		up(&self->sem);
	}
}

int sem_interruptible(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (down_interruptible(&self->sem))
			return -ERESTARTSYS;
		other->state = 0; /* found */
		up(&self->sem);
	}
	return 0;
}

void sem_trylock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (down_trylock(&self->sem))
			continue;
		other->state = 0; /* found */
		up(&self->sem);
	}
}

int mutex_killable_ret(struct unit *self)
{
	struct unit *other;
	int ret;

	list_for_each_entry(other, &self->hub->units, node) {
		ret = mutex_lock_killable(&self->m);
		if (ret)
			return ret;
		other->state = 0; /* found */
		mutex_unlock(&self->m);
	}
	return 0;
}

int mutex_interruptible_lt0(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (mutex_lock_interruptible(&self->m) == 0) {
			other->state = 0; /* found */
			mutex_unlock(&self->m);
		}
	}
	return 0;
}

void trylock_in(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (mutex_trylock(&self->m)) {
			other->state = 0; /* found */
			mutex_unlock(&self->m);
		}
	}
}

void trylock_spin(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		while (!spin_trylock(&self->lock))
			cpu_relax();
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void trylock_irqsave(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		unsigned long flags;

		if (!spin_trylock_irqsave(&self->lock, flags))
			continue;
		other->state = 0; /* found */
		spin_unlock_irqrestore(&self->lock, flags);
	}
}

void bitlock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		bit_spin_lock(0, &self->flags);
		other->state = 0; /* found */
		bit_spin_unlock(0, &self->flags);
	}
}

void seq_irqsave(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		unsigned long flags;

		write_seqlock_irqsave(&self->seq, flags);
		other->cfg.a = 1; /* found */
		other->cfg.b = 2; /* found */
		write_sequnlock_irqrestore(&self->seq, flags);
	}
}

void seq_excl(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		read_seqlock_excl(&self->seq);
		other->state = 0; /* found */
		read_sequnlock_excl(&self->seq);
	}
}

void percpu(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		percpu_down_write(&self->prw);
		other->state = 0; /* found */
		percpu_up_write(&self->prw);
	}
}

void rtmutex(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		rt_mutex_lock(&self->rtm);
		other->state = 0; /* found */
		rt_mutex_unlock(&self->rtm);
	}
}

void atomic_dec_and_lock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (!atomic_dec_and_lock(&self->refs, &self->lock))
			continue;
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void nested_ctx_lock(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->ctx.lock);
		other->ctx.state = 0; /* found */
		spin_unlock(&self->ctx.lock);
	}
}

void fixed_lock_of_array(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->locks[0]);
		other->state = 0; /* found */
		spin_unlock(&self->locks[0]);
	}
}
