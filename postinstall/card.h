/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's network cards, as the kernel shows them below the model's root. */
#pragma once

#include "postinstall/node.h"

/* The card of that hardware address ("eth1"; a bridge that has the same one is none); NULL: there is none. The caller frees it. */
char *rf_card_named(const rf_node_model *model, const char *mac);

/* "eth0 52:54:00:…, eth1 …" for messages. The caller frees it. */
char *rf_cards_text(const rf_node_model *model);

/* Does a default route (IPv4 or IPv6) lead out by this card, or by any where `card` is NULL? */
bool rf_way_out(const rf_node_model *model, const char *card);
