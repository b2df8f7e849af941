/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kind of file system: one file each (filesystem_btrfs.c, …) and one row in filesystem.c's table. */
#pragma once

#include "raid/steps.h"

struct rf_filesystem_ops {
    const char *type; /* libblkid's TYPE */

    /* Makes it with its UUID and without a label. Overwrites what is there. */
    int (*make)(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err);

    /* Makes what belongs in it (subvolumes). NULL: nothing. May be repeated. */
    int (*furnish)(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err);

    /* Sets the label, at the very end: a file system of ours with a label is complete, one without was interrupted. */
    int (*label)(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err);
};

extern const struct rf_filesystem_ops rf_filesystem_vfat, rf_filesystem_btrfs, rf_filesystem_xfs;

/* NULL for an unknown type. */
const struct rf_filesystem_ops *rf_filesystem_ops(const char *type);

/* Is this signature our file system? Complete means that it has a label. */
bool rf_filesystem_ours(const struct rf_layout_filesystem *filesystem, const struct rf_signature *signatures,
                        size_t count, bool *ret_complete);

/* mkfs may take this long on slow disks, in seconds. */
#define RF_FILESYSTEM_SECONDS 300
