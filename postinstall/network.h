/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guests' network, by libvirt: a bridge without any other port, addresses and names by its dnsmasq. Every guest of the profile has
 * its fixed address and DNS name in it, published names lead to the node; a guest that serves a DNS zone (a directory) is asked for that
 * zone, so that all guests and the node can resolve it. The bridge's ports are isolated: guests exchange frames with the node only, and
 * what the node passes on is said by postinstall/isolation.h.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"
#include "postinstall/xml.h"

/* Pure. The caller frees the document. */
xmlDoc *rf_network_xml(const rf_node_model *model);

/* Does the network that libvirt describes say all that the profile wants, and no host more? */
bool rf_network_same(const rf_node_model *model, const char *actual_xml);

/* Defines, starts and autostarts it; hosts are added to a running network and taken from it without an interruption. Where more than that
 * changed it is restarted, and libvirt after it, so that running guests are without it for some seconds. Argument: rf_node_model.
 * Repeatable; a kill leaves a defined network that the next run starts. */
extern const struct rf_step_ops rf_step_network;
