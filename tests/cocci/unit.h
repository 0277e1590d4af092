/* SPDX-License-Identifier: GPL-2.0-only */
/* The objects of several inputs; tests/cocci.bats puts them in, as spatch includes nothing. */
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
