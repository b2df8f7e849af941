/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which address a VPN's peer has. It stands in a configuration that was given away, so it is kept beside the peer's key (RF_STATE_VPN/PEER.address,
 * 0600) and goes with it: peers that are put before it or leave don't move it. A new one gets the address of its place in the list, or where
 * another one has that, the first that is free.
 */
#pragma once

#include "postinstall/node.h"

#define RF_VPN_ADDRESS_SUFFIX ".address"

/* One for each peer of the profile, in its order, and a NULL; the caller frees it by rf_vpn_addresses_free. One that is kept but not in the subnet (any
 * more) does not count. */
char **rf_vpn_addresses(const rf_node_model *model);
void rf_vpn_addresses_free(char **addresses);

static inline void rf_guard_vpn_addresses(char ***addresses)
{
    rf_vpn_addresses_free(*addresses);
}

#define rf_autovpnaddresses RF_CLEANUP(rf_guard_vpn_addresses)

/* Keeps them, and says whether they are kept. The directory must be there. Repeatable; a kill leaves some kept, which stay. */
int rf_vpn_addresses_keep(const rf_node_model *model, rf_error **err);
bool rf_vpn_addresses_kept(const rf_node_model *model);
