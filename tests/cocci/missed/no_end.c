// SPDX-License-Identifier: GPL-2.0-only
// Out of reach: a for loop that always ends after the write.

#include "unit.h"

void search_for_break(struct unit *self, struct hub *hub, int id)
{
	int i;

	for (i = 0; i < hub->n; i++) {
		if (hub->tab[i]->id == id) {
			spin_lock(&self->lock);
			hub->tab[i]->state = 0;
			spin_unlock(&self->lock);
			return;
		}
	}
}
