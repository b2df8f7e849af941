/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XFS for guests' images: large files, reflinks for copies, grows while mounted. */
#include "base/memory.h"
#include "raid/filesystem.h"

/*
 * -K: no discard at mkfs (see filesystem_btrfs.c). -l size: mkfs writes the whole log, which it would make 2 GiB large on
 * some TB; few large files need little of it, and 64 MiB is the least that current versions take (mkfs.xfs(8)).
 * -s size: XFS would else take the sectors of today's disks for its own, and one made on sectors of 512 bytes does not mount when a
 * member with sectors of 4096 has taken another's place.
 */
static int make(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err)
{
    rf_autofree char *uuid = rf_format("uuid=%s", filesystem->uuid);
    const struct rf_command command = {
        .argv =
            RF_ARGV("mkfs.xfs", "-q", "-f", "-K", "-s", "size=4096", "-l", "size=64m", "-m", uuid, filesystem->device),
        .seconds = RF_FILESYSTEM_SECONDS,
    };
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

static int label(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err)
{
    return rf_run_argv(env->runner, RF_ARGV("xfs_admin", "-L", filesystem->label, filesystem->device), err);
}

const struct rf_filesystem_ops rf_filesystem_xfs = {.type = "xfs", .make = make, .label = label};
