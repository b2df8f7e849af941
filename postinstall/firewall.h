/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node's packet filter (nftables): from outside SSH and Cockpit, nothing else; from the guests DHCP and DNS of the node,
 * nothing else. One table of our own, replaced at once; libvirt's tables beside it (NAT, forwarding) are left alone: a
 * packet must pass both.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

#define RF_FIREWALL_FILE "/etc/nftables.conf"

/* Pure: the file as nft(8) reads it. It carries a digest of itself as the table's comment. The caller frees it. */
char *rf_firewall_text(void);

/* Writes the file and loads it. Argument: rf_node_model. Done means: the file is this one, and the kernel's table
 * carries its digest. */
extern const struct rf_step_ops rf_step_firewall;
