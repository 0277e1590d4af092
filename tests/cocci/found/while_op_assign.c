// SPDX-License-Identifier: GPL-2.0-only
// A while loop, an operator with an assignment, a raw lock.

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

void mark_all(struct unit *self, struct unit *other)
{
	while (other) {
		raw_spin_lock_irq(&self->rlock);
		other->state |= 4;
		raw_spin_unlock_irq(&self->rlock);
		other = other->next;
	}
}
