/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/bootable.h"

#include "base/memory.h"
#include "raid/inventory.h"
#include "raid/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <libfdisk/libfdisk.h>
#include <strings.h>

static void unref_context(struct fdisk_context **context)
{
    fdisk_unref_context(*context);
}

int rf_disk_open_checked(const struct rf_layout_disk *disk, int flags, int *ret_fd, rf_error **err)
{
    struct rf_disk found = {0};
    if (rf_disk_open(disk, flags, ret_fd, &found, err) < 0)
        return -1;
    bool ours = found.table_uuid && strcasecmp(found.table_uuid, disk->table_uuid) == 0;
    rf_disk_clear(&found);
    if (ours)
        return 0;
    close(*ret_fd);
    *ret_fd = -1;
    return rf_fail(err, RF_FAILED, "disk %u (recorded as %s) does not carry this node's partition table any more",
                   disk->member, disk->name);
}

static int open_table(const struct rf_layout_disk *disk, int fd, bool read_only, struct fdisk_context **ret_context,
                      rf_error **err)
{
    struct fdisk_context *context = fdisk_new_context();
    if (!context)
        abort();
    *ret_context = context;
    rf_autofree char *path = rf_format("/proc/self/fd/%d", fd);
    int outcome = fdisk_assign_device_by_fd(context, fd, path, read_only);
    if (outcome < 0)
        return rf_fail_errno(err, RF_FAILED, -outcome, "the partition table of disk %u can't be opened", disk->member);
    if (!fdisk_is_label(context, GPT))
        return rf_fail(err, RF_FAILED, "disk %u has no GPT", disk->member);
    return 0;
}

int rf_bootable_read(const struct rf_layout_disk *disk, bool *ret_marked, rf_error **err)
{
    rf_autofd int fd = -1;
    RF_CLEANUP(unref_context) struct fdisk_context *context = NULL;
    uint64_t attributes = 0;
    if (rf_disk_open_checked(disk, O_RDONLY | O_CLOEXEC, &fd, err) < 0 || open_table(disk, fd, true, &context, err) < 0)
        return -1;
    int outcome = fdisk_gpt_get_partition_attrs(context, disk->parts[RF_PART_BIOS].number - 1, &attributes);
    if (outcome < 0)
        return rf_fail_errno(err, RF_FAILED, -outcome, "the BIOS boot partition of disk %u can't be read",
                             disk->member);
    *ret_marked = attributes & RF_ATTRIBUTE_BOOTABLE;
    return 0;
}

int rf_bootable_mark(const struct rf_layout_disk *disk, rf_error **err)
{
    rf_autofd int fd = -1;
    RF_CLEANUP(unref_context) struct fdisk_context *context = NULL;
    size_t part = disk->parts[RF_PART_BIOS].number - 1;
    uint64_t attributes = 0;
    if (rf_disk_open_checked(disk, O_RDWR | O_CLOEXEC, &fd, err) < 0 || open_table(disk, fd, false, &context, err) < 0)
        return -1;
    int outcome = fdisk_gpt_get_partition_attrs(context, part, &attributes);
    if (outcome == 0)
        outcome = fdisk_gpt_set_partition_attrs(context, part, attributes | RF_ATTRIBUTE_BOOTABLE);
    if (outcome == 0)
        outcome = fdisk_write_disklabel(context);
    if (outcome < 0 || fsync(fd) < 0)
        return rf_fail_errno(err, RF_FAILED, outcome < 0 ? -outcome : errno, "disk %u can't be marked as bootable",
                             disk->member);
    return 0;
}
