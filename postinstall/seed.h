/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NoCloud seed: an ISO labelled `cidata` with meta-data, user-data and network-config (cloud-init's documentation,
 * "NoCloud"). It lies on tmpfs (0600), is attached until the guest is healthy, and is then removed.
 *
 * meta-data carries all values as JSON (which is YAML): below "richtfest" the guest's description (postinstall/description.h). The user
 * data is the recipe's template as it is; cloud-init's own Jinja fills it in.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Pure; the caller frees them (meta-data by rf_free_secret). The certificates are PEM; any of the three may be NULL. */
char *rf_seed_meta_data(const struct rf_node_guest *guest, const char *authority, const char *certificate,
                        const json_t *secrets);
char *rf_seed_network_config(const struct rf_node_guest *guest);

/* Writes the ISO (0600, atomically) to `path`, from what the steps `ca` and `secret` have made. */
int rf_seed_write(const struct rf_node_guest *guest, const char *path, rf_error **err);

/* Writes the seed. Argument: rf_node_guest. Repeatable; while the guest runs with its seed, or is settled, nothing is done. */
extern const struct rf_step_ops rf_step_seed;
