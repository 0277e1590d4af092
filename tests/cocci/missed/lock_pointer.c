// SPDX-License-Identifier: GPL-2.0-only
// Out of reach: the lock is taken through a pointer to it.

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

void through_pointer(struct unit *self)
{
	spinlock_t *lock = &self->lock;
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(lock);
		other->state = 0;
		spin_unlock(lock);
	}
}
