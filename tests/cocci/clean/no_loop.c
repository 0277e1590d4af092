// SPDX-License-Identifier: GPL-2.0-only
// No loop.

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

void hand_over(struct unit *self, struct unit *other)
{
	spin_lock(&self->lock);
	other->state = self->state;
	spin_unlock(&self->lock);
}
