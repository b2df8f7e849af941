/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `richtfest status` shows of the node: its guests and how they are. */
#pragma once

#include "postinstall/node.h"

/* Asks libvirt and every running guest's probes once, now, the guests side by side. Blocks for as long as a guest that does not answer takes:
 * up to ten seconds a probe, and a program in the guest up to three minutes (postinstall/status_ask.h). Changes nothing but what is
 * remembered of the probes (postinstall/probe_record.h). The caller owns the object; NULL only where the profile is wrong.
 *
 *   {"libvirt": "reachable", "network": {"name", "subnet", "active"}, "pool": {"path", "active", "free", "size"},
 *    "guests": [{"name", "recipe", "state", "address", "fqdn", "healthy", "since", "published", "own_ca": true where ACME has
 *                brought no certificate although the profile asks for one, "restart_needed", "handover": PATH,
 *                "probes": [{"probe", "state", "words", "since", "error": {"words", "at"}}]}],
 *    "kept": [{"name", "state"}]}
 */
json_t *rf_node_status_json(const rf_profile *profile, const struct rf_node_options *options, rf_error **err);

/* The same as a table for people. Pure; the caller frees it. */
char *rf_node_status_text(const json_t *status);
