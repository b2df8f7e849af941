/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node's packet filter (nftables): from outside SSH and Cockpit, and where the profile has them the proxy's ports and the VPN's,
 * nothing else; from the guests DHCP and DNS of the node and the proxy, nothing else. One table of our own, replaced at once. What
 * the node passes on is another file's (postinstall/isolation.h).
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

#define RF_FIREWALL_FILE "/etc/nftables.conf"

/* Pure: the file as nft(8) reads it. It carries a digest of itself as the table's comment. Without a model: what every node has, for the
 * time until it knows its guests. The caller frees it. */
char *rf_firewall_text(const rf_node_model *model);

/* Writes the file and loads it. Argument: rf_node_model. Done means: the file is this one, and the kernel's table
 * carries its digest. */
extern const struct rf_step_ops rf_step_firewall;
