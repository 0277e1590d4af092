// SPDX-License-Identifier: GPL-2.0-only
// Another name of the same object.

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

void bump(struct unit *self, int n)
{
	struct unit *same = self;
	int i;

	for (i = 0; i < n; i++) {
		spin_lock(&self->lock);
		same->cfg.mode[i] = 1;
		spin_unlock(&self->lock);
	}
}
