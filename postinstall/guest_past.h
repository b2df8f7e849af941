/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest in use was set up as, and can't become another of by a changed line in the profile: its recipe (the disk is made of that image), and the
 * zone that a directory serves (members and accounts carry its name). The recipe is in the mark "settled.json", the zone in a file of its own,
 * kept like the address from the definition on. One that is not settled has no past.
 */
#pragma once

#include "postinstall/node.h"

#define RF_ZONE_FILE "zone" /* in the guest's state */

/* Of the guests below `root` that have settled: object NAME → {"recipe", "zone"}, what is not known left out. The caller owns it; never NULL. */
json_t *rf_guest_pasts(const char *root);

/* Adds a problem for each guest of the model that would have to become another one; `known` is such an object, or NULL. Pure. */
void rf_guest_pasts_check(const rf_node_model *model, const json_t *known, rf_problems *problems);

/* Keeps the zone that the guest serves, if any, and says whether it is kept. Repeatable; a kill leaves the former file or the new one. */
int rf_guest_zone_keep(const struct rf_node_guest *guest, rf_error **err);
bool rf_guest_zone_kept(const struct rf_node_guest *guest);
