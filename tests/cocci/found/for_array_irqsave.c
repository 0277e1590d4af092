// SPDX-License-Identifier: GPL-2.0-only
// A for loop over an array of pointers, spin_lock_irqsave.

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
	unsigned long flags;
	int i;

	for (i = 0; i < hub->n; i++) {
		struct unit *other = hub->tab[i];

		spin_lock_irqsave(&self->lock, flags);
		other->state = 0;
		spin_unlock_irqrestore(&self->lock, flags);
	}
}
