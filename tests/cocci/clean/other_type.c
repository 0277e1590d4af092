// SPDX-License-Identifier: GPL-2.0-only
// The lock of the structure that has them all.

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

void stop_all(struct hub *hub)
{
	struct unit *other;

	list_for_each_entry(other, &hub->units, node) {
		spin_lock(&hub->lock);
		other->state = 0;
		spin_unlock(&hub->lock);
	}
}
