/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FAT32 for the ESP: the only one that every firmware must read (UEFI 2.10, 13.3). */
#include "base/memory.h"
#include "raid/filesystem.h"

static int make(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err)
{
    rf_autofree char *serial =
        rf_format("%.4s%s", filesystem->uuid, filesystem->uuid + 5); /* "1A2B-3C4D" without "-" */
    return rf_run_argv(env->runner, RF_ARGV("mkfs.vfat", "-F", "32", "-i", serial, filesystem->device), err);
}

static int label(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err)
{
    return rf_run_argv(env->runner, RF_ARGV("fatlabel", filesystem->device, filesystem->label), err);
}

const struct rf_filesystem_ops rf_filesystem_vfat = {.type = "vfat", .make = make, .label = label};
