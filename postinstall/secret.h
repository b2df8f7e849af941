/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's generated passwords. They live in one file (0600, below a 0700 directory of the node's state) from before the
 * guest's first start until the guest is healthy and the passwords are handed over; then they are gone from the node.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* An object name → password, or NULL where there is none (settled, or not generated yet). The caller owns it. */
json_t *rf_secret_load(const struct rf_node_guest *guest);

/* Generates what the recipe lists. Argument: rf_node_guest. Repeatable: what exists is kept, because the guest may
 * already have it. */
extern const struct rf_step_ops rf_step_secret;

/* Removes the file; absent is fine. */
int rf_secret_remove(const struct rf_node_guest *guest, rf_error **err);
