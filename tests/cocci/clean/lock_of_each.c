// SPDX-License-Identifier: GPL-2.0-only
// The locked object has a lock for each of the others.

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

void stop(struct unit *self, struct hub *hub)
{
	int i;

	for (i = 0; i < 8; i++) {
		spin_lock(&self->locks[i]);
		hub->tab[i]->state = 0;
		spin_unlock(&self->locks[i]);
	}
}
