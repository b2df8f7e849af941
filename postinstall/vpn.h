/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * WireGuard by systemd-networkd: the node and its peers. Keys are made here unless the profile brings a peer's own public one; they lie in the
 * node's state (the node's 0640 for networkd, peers' 0600), and a peer that leaves the profile loses its keys and its way in.
 * What peers may reach is said by postinstall/isolation.h.
 */
#pragma once

#include "base/digest.h"
#include "base/step.h"
#include "postinstall/node.h"

#define RF_STATE_VPN                                                                                                   \
    RF_STATE_DIR "/vpn" /* 0750: node.key, PEER.peer, PEER.address, applied (the digest of what is in force) */
#define RF_VPN_NETDEV "/etc/systemd/network/60-richtfest-vpn.netdev"
#define RF_VPN_NETWORK "/etc/systemd/network/60-richtfest-vpn.network"

/* What the profile asks of the VPN, keys that are made here left out. Pure. */
void rf_vpn_digest(const rf_profile *profile, char ret_hex[RF_SHA256_HEX]);

/* The digest of what is in force below `root`; the caller frees it. NULL: nothing. */
char *rf_vpn_applied(const char *root);

/* Makes keys that are missing, writes networkd's files and lets it make the interface anew where something changed (peers reconnect by
 * themselves). Without peers it takes the interface away. Argument: rf_node_model. Repeatable. */
extern const struct rf_step_ops rf_step_vpn;

/* A peer's configuration as wg-quick(8) and the apps read it; the caller frees it by rf_free_secret. Where the profile has the peer's
 * public key, its private one is not known here, and a line says so. RF_USAGE for a name that is no peer. */
int rf_vpn_peer_text(const rf_node_model *model, const char *peer, char **ret_text, rf_error **err);
