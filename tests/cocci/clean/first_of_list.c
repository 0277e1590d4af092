// SPDX-License-Identifier: GPL-2.0-only
// The first object of a list of the locked one, which guards its list; tried again if there is none.
#include "unit.h"

struct unit *accept(struct unit *unit)
{
	struct unit *kid;

again:
	wait_for_kid(unit);
	spin_lock(&unit->lock);
	while ((kid = list_first_entry_or_null(&unit->kids, struct unit, node))) {
		if (!kid->hits)
			break;
		drop(kid);
	}
	if (kid)
		kid->state = 1;
	spin_unlock(&unit->lock);
	if (!kid)
		goto again;
	return kid;
}
