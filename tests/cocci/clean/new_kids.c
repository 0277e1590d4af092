// SPDX-License-Identifier: GPL-2.0-only
// The object was made in this iteration, a parent has the lock.

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

int add_kids(struct unit *parent, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct unit *kid = kzalloc(sizeof(*kid), GFP_KERNEL);

		if (!kid)
			return -ENOMEM;
		spin_lock(&parent->lock);
		kid->parent = parent;
		list_add_tail(&kid->node, &parent->kids);
		spin_unlock(&parent->lock);
	}
	return 0;
}
