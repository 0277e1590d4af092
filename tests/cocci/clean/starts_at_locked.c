// SPDX-License-Identifier: GPL-2.0-only
// The walk starts at the object with the lock.

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

void stop_chain(struct unit *self)
{
	struct unit *other;

	for (other = self; other; other = other->next) {
		spin_lock(&self->lock);
		other->state = 0;
		spin_unlock(&self->lock);
	}
}
