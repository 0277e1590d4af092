// SPDX-License-Identifier: GPL-2.0-only
// A comparison that does not make the two objects the same.

struct hub;

struct unit {
	struct mutex m;
	spinlock_t lock;
	raw_spinlock_t rlock;
	rwlock_t rw;
	seqlock_t seq;
	struct semaphore sem;
	struct rw_semaphore rwsem;
	struct percpu_rw_semaphore prw;
	struct rt_mutex rtm;
	int state, hits, id;
	atomic_t refs;
	char name[8];
	unsigned long flags;
	struct { int a, b; } cfg;
	struct { spinlock_t lock; int state; } ctx;
	spinlock_t locks[8];
	struct unit *next, *parent;
	struct list_head node, kids;
	struct rb_node rb;
	struct hub *hub;
};

struct hub {
	spinlock_t lock;
	int n;
	struct unit *cur, *tab[8];
	struct unit arr[8];
	struct list_head units;
	struct xarray xa;
};

void skip_self(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other == self)
			continue;
		spin_lock(&self->lock);
		other->state = 0; /* found */
		spin_unlock(&self->lock);
	}
}

void not_self(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other != self) {
			spin_lock(&self->lock);
			other->state = 0; /* found */
			spin_unlock(&self->lock);
		}
	}
}

void eq_or(struct unit *self, int force)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		if (other == self || force) {
			spin_lock(&self->lock);
			other->state = 0; /* found */
			spin_unlock(&self->lock);
		}
	}
}

void own_before_unlocked(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		unit_lock(other);
		other->hits = 0;
		unit_unlock(other);
		mutex_lock(&self->m);
		other->state = 0; /* found */
		mutex_unlock(&self->m);
	}
}

void write_to_ref_then_own_read(struct unit *self)
{
	struct unit *other;

	list_for_each_entry(other, &self->hub->units, node) {
		spin_lock(&self->lock);
		other->parent = self; /* found */
		spin_unlock(&self->lock);
		spin_lock(&other->lock);
		other->state = 1;
		spin_unlock(&other->lock);
	}
}
