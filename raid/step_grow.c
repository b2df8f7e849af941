/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps: the room of a larger data array, passed on: to the volume group, to the volume for images, to its file system. Each asks
 * LVM or XFS what is there, so each may be repeated, and a kill between two of them leaves a system that only has less room.
 */
#include "base/memory.h"
#include "base/paths.h"
#include "raid/filesystem.h"
#include "raid/lvm.h"
#include "raid/steps.h"

#include <inttypes.h>
#include <string.h>

/* LVM's extents (lvm.conf(5), allocation/physical_extent_size), and what may be lost to them at the beginning, where the first one
 * is aligned to the array's stripes, and at the end. */
#define EXTENT (UINT64_C(4) << 20)
#define EXTENTS_LOST (2 * EXTENT)

/* XFS leaves a last group of fewer than 64 blocks unused (XFS_MIN_AG_BLOCKS); blocks are 4 KiB (mkfs.xfs(8)). */
#define XFS_LOST (UINT64_C(64) << 12)

/* Two whole numbers of a report, in bytes; false where there are not two. */
static bool two_numbers(const char *text, uint64_t *ret_first, uint64_t *ret_second)
{
    return sscanf(text, "%" SCNu64 " %" SCNu64, ret_first, ret_second) == 2;
}

static int ask(struct rf_step_env *env, const char *const *argv, uint64_t *ret_first, uint64_t *ret_second,
               rf_error **err)
{
    rf_autoanswer struct rf_lvm_answer answer = {0};
    if (rf_lvm_report(env, argv, &answer, err) < 0)
        return -1;
    if (!two_numbers(answer.text, ret_first, ret_second))
        return rf_fail(err, RF_FAILED, "%s does not tell two sizes%s%s", argv[0], *answer.words ? ": " : "",
                       answer.words);
    return 0;
}

static enum rf_probe group_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_volume *volume = arg;
    rf_autofree char *config = rf_lvm_only(volume->physical);
    uint64_t device, used;
    if (ask(env,
            RF_ARGV("pvs", "--config", config, "--noheadings", "--nosuffix", "--units", "b", "--options",
                    "dev_size,pv_size", volume->physical),
            &device, &used, err) < 0)
        return RF_PROBE_ERROR;
    return used + EXTENTS_LOST < device ? RF_PROBE_TODO : RF_PROBE_DONE;
}

static int group_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_volume *volume = arg;
    rf_autofree char *config = rf_lvm_only(volume->physical);
    return rf_run_argv(env->runner, RF_ARGV("pvresize", "--config", config, "--yes", volume->physical), err);
}

static enum rf_probe volume_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_volume *volume = arg;
    rf_autofree char *config = rf_lvm_only(volume->physical);
    rf_autofree char *name = rf_format("%s/%s", volume->group, volume->name);
    uint64_t group, size;
    if (ask(env,
            RF_ARGV("lvs", "--config", config, "--noheadings", "--nosuffix", "--units", "b", "--options",
                    "vg_size,lv_size", name),
            &group, &size, err) < 0)
        return RF_PROBE_ERROR;
    return size + EXTENT < group / 100 * RF_LAYOUT_IMAGES_PERCENT ? RF_PROBE_TODO : RF_PROBE_DONE;
}

static int volume_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_volume *volume = arg;
    rf_autofree char *config = rf_lvm_only(volume->physical);
    rf_autofree char *extents = rf_format("%d%%VG", RF_LAYOUT_IMAGES_PERCENT);
    rf_autofree char *name = rf_format("%s/%s", volume->group, volume->name);
    return rf_run_argv(env->runner, RF_ARGV("lvextend", "--config", config, "--yes", "--extents", extents, name), err);
}

/* xfs_info(8) asks the kernel where the file system is mounted, and reads the device where it is not:
 * "data     =                       bsize=4096   blocks=65536, imaxpct=25". */
static bool filesystem_size(const char *info, uint64_t *ret_size)
{
    const char *data = strstr(info, "\ndata ");
    const char *block = data ? strstr(data, "bsize=") : NULL, *blocks = block ? strstr(block, "blocks=") : NULL;
    if (!blocks)
        return false;
    *ret_size = strtoull(block + strlen("bsize="), NULL, 10) * strtoull(blocks + strlen("blocks="), NULL, 10);
    return true;
}

static enum rf_probe filesystem_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_filesystem *filesystem = arg;
    rf_autofree char *info = NULL, *device = NULL;
    uint64_t size;
    if (rf_run_output(env->runner, RF_ARGV("xfs_info", filesystem->device), &info, err) < 0 ||
        rf_run_output(env->runner, RF_ARGV("blockdev", "--getsize64", filesystem->device), &device, err) < 0)
        return RF_PROBE_ERROR;
    if (!filesystem_size(info, &size)) {
        rf_fail(err, RF_FAILED, "xfs_info does not tell the size of %s", filesystem->device);
        return RF_PROBE_ERROR;
    }
    return size + XFS_LOST < strtoull(device, NULL, 10) ? RF_PROBE_TODO : RF_PROBE_DONE;
}

/* XFS grows only while it is mounted. A mount of our own serves both the installer and a node, where it is mounted elsewhere as well:
 * one file system may be mounted twice. */
static int filesystem_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    static const char where[] = RF_RUN_DIR "/grow";
    const struct rf_layout_filesystem *filesystem = arg;
    if (rf_run_argv(
            env->runner,
            RF_ARGV("mount", "--types", filesystem->type, "--options", "X-mount.mkdir=0700", filesystem->device, where),
            err) < 0)
        return -1;
    int grown = rf_run_argv(env->runner, RF_ARGV("xfs_growfs", "-d", where), err);
    /* unmounted in any case; what went wrong first is what gets said */
    int unmounted = rf_run_argv(env->runner, RF_ARGV("umount", where), grown < 0 ? NULL : err);
    return grown < 0 ? grown : unmounted;
}

const struct rf_step_ops rf_step_grow_group = {.name = "grow-group", .probe = group_probe, .apply = group_apply};
const struct rf_step_ops rf_step_grow_volume = {.name = "grow-volume", .probe = volume_probe, .apply = volume_apply};
const struct rf_step_ops rf_step_grow_filesystem = {.name = "grow-filesystem",
                                                    .probe = filesystem_probe,
                                                    .apply = filesystem_apply};
