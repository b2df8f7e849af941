/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which address a guest has. A guest learns it from its seed, once; so it is kept in the guest's state (`address`) from its definition on, and
 * whatever is added to the profile or taken out of it later, the guest has it until it is deleted. A new one gets the address of its place in the list,
 * or where another one has that, the first that is free.
 */
#pragma once

#include "postinstall/node.h"

#define RF_ADDRESS_FILE "address" /* in the guest's state */

/* Those that are kept below `root`: object NAME → "10.20.0.11", of guests that left the profile, too. The caller owns it; never NULL. */
json_t *rf_guest_addresses(const char *root);

/* Gives each guest of the model its address; `known` is such an object, or NULL. What can't be is added to `problems`: an address that another guest
 * has, one that a guest would have to change, a subnet that is used up. Pure. */
void rf_guest_addresses_give(rf_node_model *model, const json_t *known, rf_problems *problems);

/* Keeps the guest's address, and says whether it is kept. Repeatable; a kill leaves the former file or the new one. */
int rf_guest_address_keep(const struct rf_node_guest *guest, rf_error **err);
bool rf_guest_address_kept(const struct rf_node_guest *guest);
