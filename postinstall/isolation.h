/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who reaches whom in the guests' network. Its bridge's ports are isolated (postinstall/network.h), so a guest's frames get to the node only;
 * the node answers ARP for all of them (RFC 3069's "aggregated VLAN", Linux: proxy_arp_pvlan) and routes between them what the rules
 * let pass. If no rule is loaded for whatever reason, guests do not reach each other at all.
 *
 *   - Members reach the ports of their directory that its recipe opens to members; all guests those that are open to guests;
 *     a guest with `reach` all ports of the guests that it names; peers of the VPN those that are open to it. Nothing else.
 *   - A frame must come with the hardware address of the guest whose port it comes through, and with that guest's IP address, also inside
 *     ARP. Nobody else takes a guest's hardware address.
 *   - What leaves the node for the world carries the node's address.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

#define RF_ISOLATION_FILE "/etc/nftables.d/richtfest-guests.nft"
#define RF_ISOLATION_SYSCTL "/etc/sysctl.d/60-richtfest-guests.conf"

/* Pure: the files. The caller frees them. */
char *rf_isolation_text(const rf_node_model *model);
char *rf_isolation_sysctl(void);

/* Writes both and puts them into force. Argument: rf_node_model. Comes after the network's step: the bridge must be there. */
extern const struct rf_step_ops rf_step_isolation;
