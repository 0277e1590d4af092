// SPDX-License-Identifier: GPL-2.0-only
// The object with the lock changes as well.

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

void chain(struct hub *hub)
{
	struct unit *unit, *last = NULL;

	list_for_each_entry(unit, &hub->units, node) {
		if (last) {
			spin_lock(&last->lock);
			unit->parent = last;
			spin_unlock(&last->lock);
		}
		last = unit;
	}
}
