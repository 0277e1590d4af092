// SPDX-License-Identifier: GPL-2.0-only
// Elements of an array, without a cursor.

struct unit {
	struct mutex m;
	spinlock_t lock;
	raw_spinlock_t rlock;
	rwlock_t rw;
	int state, hits;
	struct { int mode[4]; struct { int level; } power; } cfg;
	struct unit *next, *parent;
	struct list_head node;
	struct hub *hub;
};

struct hub {
	spinlock_t lock;
	struct mutex m;
	int n;
	struct unit *tab[8];
	struct unit arr[8];
	struct list_head units;
};

void stop_all(struct unit *self, struct unit *units, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		spin_lock_bh(&self->lock);
		units[i].state = 0;
		spin_unlock_bh(&self->lock);
	}
}
