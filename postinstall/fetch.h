/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The image of a guest whose recipe brings none (`fetch` in recipe.yaml): from the address in its settings to RF_FETCHED_DIR, named by its
 * checksum, so that several guests share one file, and a repeated run finds it. It stays as long as a guest of the profile names it.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Fetches it, bounded by the guest's disk and by the room that is left, compares the checksum, and looks whether it is what its settings
 * say. Done where the guest has its disk: that one is kept, and where the settings name another image by now, it is said. Argument:
 * rf_node_guest. A kill leaves a part, which the next run goes on with. */
extern const struct rf_step_ops rf_step_fetch;

/* Is the image fetched, and what its settings say? Its disk's size then, in bytes. Reads its first block only. RF_FAILED names guest,
 * setting and what to do. */
int rf_fetch_inspect(const struct rf_node_guest *guest, uint64_t *ret_size, rf_error **err);

/* Notes what image the guest's disk was made of. */
int rf_fetch_remember(const struct rf_node_guest *guest, rf_error **err);

/* The checksum of the image that the guest's disk was made of; NULL where none was fetched for it. The caller frees it. */
char *rf_fetch_remembered(const struct rf_node_guest *guest);

/* Where the profile names another image than the disk was made of: a sentence that says so and what to do. Else NULL. The caller frees
 * it. */
char *rf_fetch_changed(const struct rf_node_guest *guest);

/* Where the guest has no disk because its image is not here yet: a sentence that says so and where the reason is. Else NULL. Looks at names
 * of files only. The caller frees it. */
char *rf_fetch_waiting(const struct rf_node_guest *guest);

/* Makes RF_FETCHED_DIR. */
int rf_fetch_directory(const rf_node_model *model, rf_error **err);
