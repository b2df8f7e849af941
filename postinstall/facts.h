/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an installed node already has, as JSON: the second input of the planner beside the profile.
 *
 *   {"kvm": true, "kvm_reason": null,
 *    "files": {"/etc/nftables.conf": SHA-256, …}, "admins": {NAME: {"keys": SHA-256, "handed_over", "ours": true}},
 *    "addresses": {GUEST: "10.20.0.10"}, "past": {GUEST: {"recipe", "zone"}}, "bridges": {NAME: DIGEST}, "ca": true, "vpn": DIGEST, "network": {"xml": …, "active": true, "autostart": true}, "pool": {"active": true, "autostart": true},
 *    "guests": {NAME: {"uuid", "state", "digest", "tuning", "disk", "autostart", "settled", "healthy", "configured"}}}
 *
 * Members that are absent are not there. The planner only uses it to say what is done already; every step looks for itself.
 */
#pragma once

#include "postinstall/node.h"

/* Reads files and asks libvirt (its absence is told as "libvirt": MESSAGE, not as a failure). Changes nothing. Blocks for up to
 * options->patience. The caller owns the object; never NULL. `options` may be NULL. */
json_t *rf_node_facts(const struct rf_node_options *options);

/* "running", "shut off", …; for facts and status. */
const char *rf_domain_state_name(int state);
