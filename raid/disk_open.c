/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a disk's identity to an open descriptor, with nothing trusted in between. */
#include "base/memory.h"
#include "raid/inventory.h"
#include "raid/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* What was not known when the machine was recorded (udev may have been late) is not asked for. */
static bool fits(const char *wanted, const char *has)
{
    return !wanted || (has && strcmp(wanted, has) == 0);
}

bool rf_layout_disk_is(const struct rf_layout_disk *wanted, const struct rf_disk *disk)
{
    if (disk->size != wanted->size || !fits(wanted->serial, disk->serial) || !fits(wanted->wwn, disk->wwn))
        return false;
    return wanted->serial || wanted->wwn || (wanted->by_path && fits(wanted->by_path, disk->by_path));
}

static char *title_of(const struct rf_layout_disk *wanted)
{
    const struct rf_disk view = {.serial = wanted->serial, .wwn = wanted->wwn, .by_path = wanted->by_path};
    rf_autofree char *label = rf_disk_label(&view);
    return rf_format("disk %u (%s, recorded as %s)", wanted->member, label, wanted->name);
}

static int find(const struct rf_layout_disk *wanted, char **ret_name, rf_error **err)
{
    rf_autofree char *found = NULL;
    rf_autonames char **names = rf_sys_names("", "/sys/block");
    for (char **name = names; name && *name; name++) {
        rf_autodisk struct rf_disk disk = {0};
        if (!rf_disk_is_whole(*name) || rf_sys_number("", 0, "/sys/block/%s/hidden", *name) == 1)
            continue;
        rf_disk_identify("", *name, &disk);
        if (!rf_layout_disk_is(wanted, &disk))
            continue;
        if (found)
            return rf_fail(err, RF_FAILED, "both %s and %s have this identity: disconnect one", found, *name);
        found = rf_strdup(*name);
    }
    if (!found)
        return rf_fail(err, RF_FAILED, "it is not there any more: check its cable, or record the machine again");
    *ret_name = RF_STEAL(found);
    return 0;
}

/* The descriptor, not the name, is what gets written. */
static int check_descriptor(int fd, const struct rf_layout_disk *wanted, const char *name, rf_error **err)
{
    struct stat status;
    uint64_t size = 0;
    if (fstat(fd, &status) < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "its size can't be asked");
    rf_autofree char *number = rf_format("%u:%u", major(status.st_rdev), minor(status.st_rdev));
    rf_autofree char *expected = rf_sys_text("", "/sys/block/%s/dev", name);
    rf_autodisk struct rf_disk again = {0};
    rf_disk_identify("", name, &again);
    if (!expected || strcmp(number, expected) != 0 || size != wanted->size || !rf_layout_disk_is(wanted, &again))
        return rf_fail(err, RF_FAILED, "the device changed while it was being opened: start again");
    return 0;
}

static int open_found(const struct rf_layout_disk *wanted, int flags, int *ret_fd, struct rf_disk *ret_disk,
                      rf_error **err)
{
    rf_autofree char *name = NULL;
    if (find(wanted, &name, err) < 0)
        return -1;
    rf_autodisk struct rf_disk disk = {0};
    rf_disk_identify("", name, &disk);
    rf_autofd int fd = open(disk.path, flags | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be opened%s", disk.path,
                             errno == EBUSY ? "; `lsblk` shows who uses it" : "");
    if (check_descriptor(fd, wanted, name, err) < 0 || rf_disk_probe(fd, &disk, err) < 0)
        return -1;
    *ret_fd = fd;
    fd = -1;
    *ret_disk = disk;
    disk = (struct rf_disk){0};
    return 0;
}

int rf_disk_open(const struct rf_layout_disk *wanted, int flags, int *ret_fd, struct rf_disk *ret_disk, rf_error **err)
{
    if (open_found(wanted, flags, ret_fd, ret_disk, err) == 0)
        return 0;
    rf_autofree char *title = title_of(wanted);
    return rf_wrap(err, "%s", title);
}
