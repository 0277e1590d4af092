// SPDX-License-Identifier: GPL-2.0-only
// Scoped_guard() with and without braces.

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

void stop_all(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		scoped_guard(mutex, &self->m) {
			if (other->state)
				other->state = 0;
		}
		scoped_guard(mutex, &self->m)
			other->hits = 0;
	}
}
