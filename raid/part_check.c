/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a partition's link to the disk that it really leads to: for the steps whose tools take a path. */
#include "base/memory.h"
#include "raid/inventory.h"
#include "raid/steps.h"

#include <string.h>

enum { SECTOR = 512 }; /* /sys/class/block/NAME/start and size count these */

static const struct rf_layout_part *part_of(const struct rf_layout_disk *disk, const char *device)
{
    for (enum rf_part i = 0; i < RF_PARTS; i++)
        if (strcmp(disk->parts[i].device, device) == 0)
            return &disk->parts[i];
    return NULL;
}

/* The whole disk that holds the partition of that kernel name; NULL where there is none. */
static char *disk_under(const char *sysroot, const char *name)
{
    rf_autonames char **disks = rf_sys_names(sysroot, "/sys/block");
    for (char **disk = disks; disk && *disk; disk++)
        if (rf_sys_exists(sysroot, "/sys/block/%s/%s/partition", *disk, name))
            return rf_strdup(*disk);
    return NULL;
}

static int check(const char *sysroot, const struct rf_layout_disk *disk, const struct rf_layout_part *part,
                 const char *name, rf_error **err)
{
    rf_autofree char *under = disk_under(sysroot, name);
    if (!under)
        return rf_fail(err, RF_FAILED, "%s leads to %s, which is no partition of a disk", part->device, name);
    rf_autodisk struct rf_disk found = {0};
    rf_disk_identify(sysroot, under, &found);
    if (!rf_layout_disk_is(disk, &found)) {
        rf_autofree char *label = rf_disk_label(&found);
        return rf_fail(
            err, RF_FAILED,
            "%s leads to %s on disk %s (%s), which is not disk %u of this node: two disks say that they are the same; "
            "disconnect the copy",
            part->device, name, under, label, disk->member);
    }
    uint64_t start = rf_sys_number(sysroot, 0, "/sys/block/%s/%s/start", under, name) * SECTOR;
    uint64_t size = rf_sys_number(sysroot, 0, "/sys/block/%s/%s/size", under, name) * SECTOR;
    if (start != part->start || size != part->size)
        return rf_fail(
            err, RF_FAILED,
            "%s does not lie where it should: the kernel goes by another table of disk %u; restart this machine",
            part->device, disk->member);
    return 0;
}

int rf_part_check(const char *sysroot, const struct rf_layout_disk *disks, size_t count, const char *device,
                  rf_error **err)
{
    rf_autofree char *name = rf_sys_link(sysroot, "%s", device);
    for (size_t i = 0; i < count && name; i++) {
        const struct rf_layout_part *part = part_of(&disks[i], device);
        if (part)
            return check(sysroot, &disks[i], part, name, err);
    }
    return 0;
}
