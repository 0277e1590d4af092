// SPDX-License-Identifier: GPL-2.0-only
// ++ of one member of an array field, a write_lock.

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

void count_all(struct unit *self, struct unit *first)
{
	struct unit *other;

	for (other = first; other; other = other->next) {
		write_lock(&self->rw);
		++other->hits;
		other->cfg.mode[2]--;
		write_unlock(&self->rw);
	}
}
