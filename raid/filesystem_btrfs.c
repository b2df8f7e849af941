/* SPDX-License-Identifier: GPL-3.0-or-later */
/* btrfs for the system: subvolumes make a root a thing that can be put beside another one. */
#include "base/memory.h"
#include "base/paths.h"
#include "raid/filesystem.h"

#include <string.h>

/*
 * -K: no discard of the whole device; thin and SSD-backed disks are discarded by fstrim later, and it takes minutes on some.
 * Data single: md mirrors it. Metadata dup although md mirrors it as well: when a checksum is wrong, btrfs can't ask md for
 * the other member's copy, so only its own second one heals it.
 * --csum xxhash: 64 bits instead of 32, and as quick where the processor has no instruction for crc32c (or emulates it:
 * there, unpacking the root takes half as long).
 * --force: mkfs refuses where it sees anything; who gets here has looked, and what it would see is an interrupted run.
 */
static int make(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err)
{
    return rf_run_argv(env->runner,
                       RF_ARGV("mkfs.btrfs", "--quiet", "--force", "--nodiscard", "--csum", "xxhash", "--data",
                               "single", "--metadata", "dup", "--uuid", filesystem->uuid, filesystem->device),
                       err);
}

static int make_subvolumes(struct rf_step_env *env, const char *top, rf_error **err)
{
    for (const char *const *name = rf_layout_subvolumes; *name; name++) {
        rf_autofree char *path = rf_format("%s/%s", top, *name);
        if (access(path, F_OK) == 0)
            continue; /* an interrupted run made it */
        if (rf_run_argv(env->runner, RF_ARGV("btrfs", "subvolume", "create", path), err) < 0)
            return -1;
    }
    return 0;
}

static int furnish(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err)
{
    static const char top[] = RF_RUN_DIR "/mkfs";
    if (rf_run_argv(
            env->runner,
            RF_ARGV("mount", "--types", "btrfs", "--options", "subvolid=5,X-mount.mkdir=0700", filesystem->device, top),
            err) < 0)
        return -1;
    int made = make_subvolumes(env, top, err);
    /* unmounted in any case; what went wrong first is what gets said */
    int unmounted = rf_run_argv(env->runner, RF_ARGV("umount", top), made < 0 ? NULL : err);
    return made < 0 ? made : unmounted;
}

static int label(struct rf_step_env *env, const struct rf_layout_filesystem *filesystem, rf_error **err)
{
    return rf_run_argv(env->runner, RF_ARGV("btrfs", "filesystem", "label", filesystem->device, filesystem->label),
                       err);
}

const struct rf_filesystem_ops rf_filesystem_btrfs = {.type = "btrfs",
                                                      .make = make,
                                                      .furnish = furnish,
                                                      .label = label};
