// SPDX-License-Identifier: GPL-2.0-only
// The array is a field.

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

void stop_all(struct unit *self, struct hub *hub)
{
	int i;

	for (i = 0; i < hub->n; i++) {
		spin_lock(&self->lock);
		hub->tab[i]->state = 0;
		spin_unlock(&self->lock);
	}
}
