// SPDX-License-Identifier: GPL-2.0-only
// A lock that may be taken.

struct hub;
struct unit {
	struct mutex m;
	spinlock_t lock;
	raw_spinlock_t rlock;
	rwlock_t rw;
	seqlock_t seq;
	struct semaphore sem;
	struct rw_semaphore rwsem;
	int state, hits, id;
	unsigned long flags;
	struct { int a, b; } cfg;
	struct { spinlock_t lock; int state; } ctx;
	spinlock_t locks[8];
	struct unit *next, *parent, *peer;
	struct list_head node, kids;
	struct rb_node rb;
	struct hub *hub;
};
struct hub { spinlock_t lock; int n; struct unit *tab[8]; struct unit arr[8]; struct list_head units; struct rb_root root; struct xarray xa; struct unit *cur; };
typedef struct unit unit_t;

void stop_all(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (!spin_trylock(&self->lock))
			continue;
		other->state = 0;
		spin_unlock(&self->lock);
	}
}
