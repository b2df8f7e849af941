/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Step: the partition table of one disk. */
#include "base/memory.h"
#include "raid/foreign.h"
#include "raid/inventory.h"
#include "raid/lost.h"
#include "raid/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

static enum rf_probe probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_layout_disk *layout = arg;
    rf_autodisk struct rf_disk disk = {0};
    rf_autofd int fd = -1;
    if (rf_disk_open(layout, O_RDONLY, &fd, &disk, err) < 0)
        return RF_PROBE_ERROR;
    return rf_layout_disk_done(layout, &disk) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* The last look before the first write: minutes may have passed since the inventory. */
static int check_free(const struct rf_layout_disk *layout, const struct rf_disk *disk, rf_error **err)
{
    rf_autofree char *findings = rf_foreign_findings(layout->node_id, disk, 4);
    if (findings)
        return rf_fail(err, RF_BAD_MACHINE, "%s holds data that is not this node's; it was not written:%s", disk->path,
                       findings);
    unsigned member = rf_disk_member(layout->node_id, disk);
    if (member && member != layout->member) /* changed places: a disk that has only its place to be known by */
        return rf_fail(err, RF_BAD_MACHINE, "%s is disk %u of this node, and not disk %u; it was not written",
                       disk->path, member, layout->member);
    for (size_t i = 0; i < disk->partitions_count; i++)
        if (disk->partitions[i].signatures_count)
            return rf_fail(
                err, RF_BAD_MACHINE,
                "%s is this node's, but its partitions are not those of this profile and %u of them holds %s; "
                "it was not written",
                disk->path, disk->partitions[i].number, disk->partitions[i].signatures[0].type);
    return 0;
}

/* Its partitions may be the last that tells where the node's data lies. */
static int check_committed(const struct rf_layout_disk *layout, const struct rf_disk *disk, rf_error **err)
{
    if (!layout->committed && !rf_disk_committed(layout->node_id, disk))
        return 0;
    rf_autofree char *what = rf_format("partitions of disk %u of node %s, or has others than this profile asks for",
                                       layout->member, layout->node_id);
    return rf_fail_lost(err, disk->path, what);
}

static int write_disk(const struct rf_layout_disk *layout, rf_error **err)
{
    rf_autodisk struct rf_disk disk = {0};
    rf_autofd int fd = -1;
    /* O_EXCL on a block device (open(2)): refused while the kernel itself uses it or a part of it. */
    if (rf_disk_open(layout, O_RDWR | O_EXCL, &fd, &disk, err) < 0 || check_free(layout, &disk, err) < 0 ||
        check_committed(layout, &disk, err) < 0)
        return -1;
    /* udev keeps off a locked disk (systemd's "Locking Block Device Access"), so no probe of its holds a partition while
     * the kernel takes the new table. */
    if (flock(fd, LOCK_EX) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be locked", disk.path);
    return rf_partition_write(fd, disk.path, layout, err);
}

static int apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_layout_disk *layout = arg;
    if (write_disk(layout, err) < 0)
        return -1;
    const char *links[RF_PARTS + 1] = {NULL};
    for (enum rf_part i = 0; i < RF_PARTS; i++)
        links[i] = layout->parts[i].device;
    return rf_wait_devices(env, links, err);
}

const struct rf_step_ops rf_step_partition = {.name = "partition", .probe = probe, .apply = apply};
