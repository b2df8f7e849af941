/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of what a profile has lists of. Only profiles/schema.c includes this. */
#pragma once

#include "profiles/schema.h"

extern const struct rf_table rf_admin_table;  /* node.admins */
extern const struct rf_table rf_guest_table;  /* guests */
extern const struct rf_table rf_peer_table;   /* access.vpn.peers */
extern const struct rf_table rf_bridge_table; /* network.bridges */
