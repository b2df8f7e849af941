/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of the packet filter for guests in the customer's own networks (postinstall/bridge.h), where they meet hosts that nobody here
 * knows. Their ports are isolated, as in the node's network: two guests do not meet at the bridge. At each port:
 *
 *   - out of the guest: its own hardware address; a fixed address only that one; by DHCP one address at a time, none that is
 *     another guest's; never the node's, and it is free again when it was silent for two minutes. No DHCP server, no IPv6, nothing else.
 *   - into the guest: answers, pings, and what `lan.open` says. Without connection tracking (it would change how the kernel treats
 *     every bridge): a TCP connection's first segment is what is asked about, and UDP to ports below the ephemeral ones
 *     (ip_local_port_range begins at 32768).
 *   - between guest and node: nothing at all. Who comes in by a router, does so as any other host of the world.
 *
 * On a bridge over a further card the node has no address and passes nothing on.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Rules for the chain `forward` of the routed table: nothing to or from a network where the node has no address. */
void rf_lan_routed(char **text, const rf_node_model *model);

/* The first rules of the bridged table's chain `prerouting`, and its sets and chains. They fail closed: a guest that is not in the profile any
 * more has its card at the bridge until it is started anew, and hears and says nothing there. The caller frees them. */
char *rf_lan_entry(const rf_node_model *model);
char *rf_lan_bridged(const rf_node_model *model);

/* Rules for the chain `input` of the node's own filter: nothing from where the node has no address. The caller frees it. */
char *rf_lan_silent(const rf_node_model *model);

/* Tells the loaded rules which addresses the node has now: whatever loads the file anew empties that set. (At a boot they learn it from its
 * ARP, too.) Nothing is done where no guest is at a bridge of a node with its own uplink there, or where the loaded rules are
 * older ones without that set. Repeatable. */
int rf_lan_teach(const rf_node_model *model, struct rf_step_env *env, rf_error **err);

/* Do they know? 1 yes, or nobody has to; 0 no; -1 and *err. Changes nothing. */
int rf_lan_taught(const rf_node_model *model, struct rf_step_env *env, rf_error **err);

/* Fails where the profile gives a guest an address that the node itself has now: that can't be known before, the node's comes by DHCP. A step beside the
 * guests: nothing of that one card passes, and no other guest has to stay down for it. Looks at every run, changes nothing. Argument: rf_node_model. */
extern const struct rf_step_ops rf_step_lan_addresses;
