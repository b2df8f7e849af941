/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NoCloud seed: an ISO labelled `cidata` with meta-data, user-data and network-config (cloud-init's documentation,
 * "NoCloud"). It lies on tmpfs (0600), is attached until the guest is healthy, and is then removed.
 *
 * meta-data carries all values as JSON (which is YAML): below "richtfest" what the template may use, and there
 * below "security-credentials" the passwords, a key that cloud-init itself keeps out of its world-readable instance data. The
 * user data is the recipe's template as it is; cloud-init's own Jinja fills it in.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Pure; the caller frees them (meta-data by rf_free_secret). `secrets` may be NULL. */
char *rf_seed_meta_data(const struct rf_node_guest *guest, const json_t *secrets);
char *rf_seed_network_config(const struct rf_node_guest *guest);

/* Writes the seed. Argument: rf_node_guest. Repeatable; while the guest runs with its seed, or is settled, nothing is done. */
extern const struct rf_step_ops rf_step_seed;
