// SPDX-License-Identifier: GPL-2.0-only
// Guards that hold the lock to the end of a scope.

struct hub;

struct unit {
	struct mutex m;
	spinlock_t lock;
	raw_spinlock_t rlock;
	rwlock_t rw;
	seqlock_t seq;
	struct semaphore sem;
	struct rw_semaphore rwsem;
	struct percpu_rw_semaphore prw;
	struct rt_mutex rtm;
	int state, hits, id;
	atomic_t refs;
	char name[8];
	unsigned long flags;
	struct { int a, b; } cfg;
	struct { spinlock_t lock; int state; } ctx;
	spinlock_t locks[8];
	struct unit *next, *parent;
	struct list_head node, kids;
	struct rb_node rb;
	struct hub *hub;
};

struct hub {
	spinlock_t lock;
	int n;
	struct unit *cur, *tab[8];
	struct unit arr[8];
	struct list_head units;
	struct xarray xa;
};

void guard_irqsave(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		guard(spinlock_irqsave)(&self->lock);
		other->state = 0; /* found */
	}
}

void guard_write(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		guard(write_lock)(&self->rw);
		WRITE_ONCE(other->state, 0); /* found */
	}
}

void guard_rwsem(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		guard(rwsem_write)(&self->rwsem);
		other->state = 0; /* found */
	}
}

void scoped_try(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		scoped_guard(mutex_try, &self->m)
			other->state = 0; /* found */
	}
}

int acquire(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		ACQUIRE(mutex_intr, lock)(&self->m);
		if (ACQUIRE_ERR(mutex_intr, &lock))
			return -EINTR;
		other->state = 0; /* found */
	}
	return 0;
}

void class_guard(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		CLASS(spinlock, g)(&self->lock);
		other->state = 0; /* found */
	}
}
