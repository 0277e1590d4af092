// SPDX-License-Identifier: GPL-2.0-only
// Out of reach: a for loop that always ends after the write.

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

void search_for_break(struct unit *self, struct hub *hub, int id)
{
	int i;

	for (i = 0; i < hub->n; i++) {
		if (hub->tab[i]->id == id) {
			spin_lock(&self->lock);
			hub->tab[i]->state = 0;
			spin_unlock(&self->lock);
			return;
		}
	}
}
