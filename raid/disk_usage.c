/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who uses a disk: mounts, swap, and devices that are built on it, for the whole disk and each of its partitions. */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/units.h"
#include "raid/inventory.h"

#include <string.h>
#include <sys/sysmacros.h>

enum {
    MOUNTS_MAX = 4 << 20,
    FIELDS = 16,
    HOLDER_DEPTH = 16
}; /* partition, md, LUKS, LVM pool and volume, LUKS again: 7 were seen */

/* "8:1" of a device path; what is no block device (btrfs has anonymous numbers in mountinfo) is looked up by its path. */
static char *number_of(const char *sysroot, const char *path)
{
    rf_autofree char *real = *sysroot ? NULL : realpath(path, NULL);
    const char *slash = strrchr(real ? real : path, '/');
    return slash ? rf_sys_text(sysroot, "/sys/class/block/%s/dev", slash + 1) : NULL;
}

/* proc(5), mountinfo: fields 3 (device), 5 (mount point); after the "-": type, source. Cuts `line` up. */
static bool mount_uses(const char *sysroot, char *line, const char *device, const char **ret_where)
{
    char *fields[FIELDS] = {NULL}, *rest = NULL;
    size_t count = 0, dash = 0;
    for (char *field = strtok_r(line, " ", &rest); field && count < FIELDS; field = strtok_r(NULL, " ", &rest)) {
        if (!dash && strcmp(field, "-") == 0)
            dash = count;
        fields[count++] = field;
    }
    if (dash < 5 || dash + 2 >= count)
        return false;
    rf_autofree char *source = number_of(sysroot, fields[dash + 2]);
    *ret_where = fields[4];
    return strcmp(fields[2], device) == 0 || (source && strcmp(source, device) == 0);
}

static char *mount_of(const char *sysroot, const char *device)
{
    rf_autofree char *path = rf_format("%s/proc/self/mountinfo", sysroot);
    rf_autofree char *text = NULL;
    if (rf_read_file(path, MOUNTS_MAX, &text, NULL, NULL) < 0)
        return NULL;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *where;
        if (mount_uses(sysroot, line, device, &where))
            return strcmp(where, RF_MEDIUM_DIR) == 0 ? rf_strdup(RF_USE_MEDIUM) : rf_format(RF_USE_MOUNTED "%s", where);
    }
    return NULL;
}

static bool swaps_on(const char *sysroot, const char *device)
{
    rf_autofree char *path = rf_format("%s/proc/swaps", sysroot);
    rf_autofree char *text = NULL;
    if (rf_read_file(path, 64 * RF_KIB, &text, NULL, NULL) < 0)
        return false;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        line[strcspn(line, " \t")] = '\0';
        rf_autofree char *number = number_of(sysroot, line);
        if (number && strcmp(number, device) == 0)
            return true;
    }
    return false;
}

/* /sys/fs/btrfs has a directory for each file system that is mounted, with all its devices; mountinfo names only one of them. */
static char *btrfs_of(const char *sysroot, const char *name)
{
    rf_autonames char **mounted = rf_sys_names(sysroot, "/sys/fs/btrfs");
    for (char **uuid = mounted; uuid && *uuid; uuid++) {
        if (!rf_sys_exists(sysroot, "/sys/fs/btrfs/%s/devices/%s", *uuid, name))
            continue;
        rf_autonames char **devices = rf_sys_names(sysroot, "/sys/fs/btrfs/%s/devices", *uuid);
        for (char **device = devices; device && *device; device++) {
            rf_autofree char *number = rf_sys_text(sysroot, "/sys/class/block/%s/dev", *device);
            char *where = number ? mount_of(sysroot, number) : NULL;
            if (where)
                return where;
        }
        return rf_format(RF_USE_MOUNTED "(btrfs %s)", *uuid);
    }
    return NULL;
}

/* A loop device over it (losetup /dev/sda) is no holder for the kernel: nothing in `holders` says so. */
static char *loop_of(const char *sysroot, const char *name)
{
    rf_autofree char *device = rf_format("/dev/%s", name);
    rf_autonames char **all = rf_sys_names(sysroot, "/sys/block");
    for (char **loop = all; loop && *loop; loop++) {
        rf_autofree char *file = rf_sys_text(sysroot, "/sys/block/%s/loop/backing_file", *loop);
        if (file && strcmp(file, device) == 0)
            return rf_format(RF_USE_ATTACHED "%s", *loop);
    }
    return NULL;
}

/* What is done with the device itself, without what is built on it. */
static char *own_usage(const char *sysroot, const char *name, const char *device)
{
    char *usage = mount_of(sysroot, device);
    if (!usage)
        usage = btrfs_of(sysroot, name);
    if (!usage && swaps_on(sysroot, device))
        usage = rf_strdup(RF_USE_SWAP);
    return usage ? usage : loop_of(sysroot, name);
}

/* The more a use forbids, the earlier it stands: a mounted partition says more than a holder on another one. */
static int weight(const char *usage)
{
    static const char *const order[] = {RF_USE_MEDIUM, RF_USE_MOUNTED, RF_USE_SWAP, RF_USE_ATTACHED, RF_USE_HOLDER};
    for (size_t i = 0; usage && i < RF_COUNT(order); i++)
        if (strncmp(usage, order[i], strlen(order[i])) == 0)
            return (int)i;
    return RF_COUNT(order);
}

/* Keeps the one that forbids more; frees the other. */
static char *heavier(char *usage, char *other)
{
    bool take = weight(other) < weight(usage);
    free(take ? usage : other);
    return take ? other : usage;
}

static char *usage_of(const char *sysroot, const char *name, int depth);

/* Partitions of a disk, and of an array: firmware RAID is partitioned as a whole. */
static char *partitions_usage(const char *sysroot, const char *name, int depth)
{
    char *usage = NULL;
    rf_autonames char **parts = rf_sys_names(sysroot, "/sys/class/block/%s", name);
    for (char **part = parts; part && *part; part++)
        if (rf_sys_exists(sysroot, "/sys/class/block/%s/%s/partition", name, *part))
            usage = heavier(usage, usage_of(sysroot, *part, depth));
    return usage;
}

/* A device by its name in /sys/class/block. A mount on top of what is built on it counts more than the holder. */
static char *usage_of(const char *sysroot, const char *name, int depth)
{
    rf_autofree char *device = rf_sys_text(sysroot, "/sys/class/block/%s/dev", name);
    if (!device || depth > HOLDER_DEPTH)
        return NULL;
    char *usage = own_usage(sysroot, name, device);
    usage = heavier(usage, partitions_usage(sysroot, name, depth + 1));
    rf_autonames char **holders = rf_sys_names(sysroot, "/sys/class/block/%s/holders", name);
    for (char **holder = holders; holder && *holder; holder++) {
        char *above = heavier(rf_format(RF_USE_HOLDER "%s", *holder), usage_of(sysroot, *holder, depth + 1));
        usage = heavier(usage, above);
    }
    return usage;
}

char *rf_disk_usage(const char *sysroot, const char *name)
{
    return usage_of(sysroot, name, 0);
}
