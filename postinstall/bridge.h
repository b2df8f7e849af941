/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The customer's own networks on the node: bridges by systemd-networkd, each over one card. They filter by VLAN (IEEE 802.1Q): their card
 * carries every tag, a guest's port has one network and sees no tags.
 *
 * Over a further card: the node has no address there, and the files are made whenever the profile asks for them. A card that leads out is
 * refused, and where the way out is gone afterwards all is taken back.
 *
 * Over the uplink: the node's own address is the bridge's, so a mistake would cut the node off. Whether a server can be reached can't
 * be told from the server itself, so nothing here could decide to go back: these files are written by the installation only
 * (installer/system_files.c), when nothing is lost yet. Later the step only looks, and refuses what differs.
 */
#pragma once

#include "base/digest.h"
#include "base/step.h"
#include "postinstall/node.h"

#define RF_NETWORKD_DIR "/etc/systemd/network"
#define RF_UPLINK_NETWORK RF_NETWORKD_DIR "/20-uplink.network" /* the card's */
#define RF_UPLINK_NETDEV RF_NETWORKD_DIR "/20-uplink.netdev"
#define RF_UPLINK_BRIDGE RF_NETWORKD_DIR "/19-uplink-bridge.network"

/* The profile's bridge over the uplink, or NULL. */
const struct rf_bridge *rf_bridge_uplink(const rf_profile *profile);

/* networkd's files for the uplink, with the bridge over it or without one. Pure; the caller frees them. The two of the bridge are NULL
 * where the profile has none. */
char *rf_uplink_network(const rf_profile *profile);
char *rf_uplink_netdev(const rf_profile *profile);
char *rf_uplink_bridge(const rf_profile *profile);

/* One of a bridge's three files: a path below "/" and its text. Pure; the caller frees both. */
enum { RF_BRIDGE_FILES = 3 };
struct rf_bridge_file {
    char *path, *text;
};
void rf_bridge_files(const struct rf_bridge *bridge, const rf_profile *profile,
                     struct rf_bridge_file ret_files[RF_BRIDGE_FILES]);
void rf_bridge_files_clear(struct rf_bridge_file files[RF_BRIDGE_FILES]);

/* Of all its files; what the facts hold of a bridge that is there. */
void rf_bridge_digest(const struct rf_bridge *bridge, const rf_profile *profile, char ret_hex[RF_SHA256_HEX]);

/* {NAME: DIGEST} of bridges whose files lie below `root`; "uplink" is the name of the one over the uplink. The caller owns it. */
json_t *rf_bridge_facts(const char *root);

/* Makes one bridge, or looks that the uplink's is there. Argument: struct rf_node_bridge. Blocks for up to 20 s while networkd makes it.
 * Repeatable; a kill leaves files that the next run completes. */
extern const struct rf_step_ops rf_step_bridge;

/* networkd's file for the card of a bridge that was taken away: it stays without any address. (Where the profile names no uplink, the
 * uplink's file matches every card.) The caller frees it. Pure. */
char *rf_bridge_left_text(const char *mac);

/* Takes away bridges over further cards that the profile no longer has, and leaves their cards without address; the uplink's stays, and so does,
 * with a failure, one that guests run at. Argument: rf_node_model. Repeatable; a kill leaves what the next run takes away. */
extern const struct rf_step_ops rf_step_bridges_old;
