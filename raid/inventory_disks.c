/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inventory: disks, and the volumes that are built on them. */
#include "base/memory.h"
#include "raid/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

enum { SECTOR = 512 };

static int probe_path(const char *path, struct rf_disk *disk, rf_error **err)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "it can't be opened");
    return rf_disk_probe(fd, disk, err);
}

/* The kernel's ZFS opens its disks without a trace in sysfs; /proc/spl/kstat/zfs has a directory for each pool that is imported. */
static const char *imported_pool(const char *sysroot, const struct rf_signature *signatures, size_t count)
{
    const struct rf_signature *found = rf_signature_find(signatures, count, "zfs_member");
    bool imported = found && found->label && rf_sys_exists(sysroot, "/proc/spl/kstat/zfs/%s", found->label);
    return imported ? found->label : NULL;
}

static void look_for_pools(const char *sysroot, struct rf_disk *disk)
{
    const char *pool = imported_pool(sysroot, disk->signatures, disk->signatures_count);
    for (size_t i = 0; i < disk->partitions_count && !pool; i++)
        pool = imported_pool(sysroot, disk->partitions[i].signatures, disk->partitions[i].signatures_count);
    if (!pool)
        return;
    free(disk->in_use);
    disk->in_use = rf_format(RF_USE_POOL "%s", pool);
}

/* A disk that fails is listed and says so: one that went missing silently would make two others match. */
static void probe_disk(struct rf_disk *disk)
{
    rf_autoerror rf_error *why = NULL;
    if (probe_path(disk->path, disk, &why) == 0)
        return;
    rf_autofree char *text = rf_error_text(why);
    free(disk->in_use);
    disk->in_use = rf_format(RF_USE_UNREADABLE "%s", text);
}

void rf_inventory_disks(const char *sysroot, rf_machine *machine)
{
    rf_autonames char **names = rf_sys_names(sysroot, "/sys/block");
    for (char **name = names; name && *name; name++) {
        /* size 0: a card reader or a loop device without anything in it; hidden: one path of a multipath NVMe */
        if (!rf_disk_is_whole(*name) || rf_sys_number(sysroot, 0, "/sys/block/%s/size", *name) == 0 ||
            rf_sys_number(sysroot, 0, "/sys/block/%s/hidden", *name) == 1)
            continue;
        struct rf_disk *disk = rf_array_add(&machine->disks, &machine->disks_count, sizeof(*disk));
        rf_disk_identify(sysroot, *name, disk);
        disk->in_use = rf_disk_usage(sysroot, *name);
        if (*sysroot)
            continue;
        probe_disk(disk);
        if (!disk->in_use || strncmp(disk->in_use, RF_USE_HOLDER, strlen(RF_USE_HOLDER)) == 0)
            look_for_pools(sysroot, disk);
    }
}

/* Members of a running array carry its UUID; udev and mdadm write it in colons, libblkid with dashes. */
static char *array_uuid(const char *name)
{
    rf_autonames char **members = rf_sys_names("", "/sys/block/%s/slaves", name);
    for (char **member = members; member && *member; member++) {
        rf_autofree char *path = rf_format("/dev/%s", *member);
        struct rf_signature *list = NULL;
        size_t count = 0;
        if (rf_signatures_of(path, &list, &count, NULL) < 0)
            continue;
        const struct rf_signature *found = rf_signature_find(list, count, "linux_raid_member");
        char *uuid = found ? rf_strdup(found->uuid) : NULL;
        rf_signatures_free(list, count);
        if (uuid)
            return uuid;
    }
    return NULL;
}

/* The kernel names of what it is built on, blanks between them; NULL where there is none. */
static char *built_on(const char *sysroot, const char *name)
{
    rf_autonames char **slaves = rf_sys_names(sysroot, "/sys/block/%s/slaves", name);
    char *text = NULL;
    for (char **slave = slaves; slave && *slave; slave++)
        rf_append(&text, "%s%s", text ? " " : "", *slave);
    return text;
}

/* The kernel's Documentation/admin-guide/md.rst; NULL for what is no array. */
static char *array_state(const char *sysroot, const char *name)
{
    rf_autofree char *text = rf_sys_text(sysroot, "/sys/block/%s/md/array_state", name);
    uint64_t missing = rf_sys_number(sysroot, 0, "/sys/block/%s/md/degraded", name);
    if (!text || missing == 0)
        return RF_STEAL(text);
    return rf_format("%s, %" PRIu64 " missing", text, missing);
}

static void add_volume(const char *sysroot, rf_machine *machine, const char *name, const char *kind, char *on)
{
    struct rf_volume *volume = rf_array_add(&machine->volumes, &machine->volumes_count, sizeof(*volume));
    volume->name = rf_strdup(name);
    volume->kind = rf_strdup(kind);
    volume->on = on;
    volume->size = rf_sys_number(sysroot, 0, "/sys/block/%s/size", name) * SECTOR;
    volume->map = rf_sys_text(sysroot, "/sys/block/%s/dm/name", name);
    volume->uuid = rf_sys_text(sysroot, "/sys/block/%s/dm/uuid", name);
    volume->state = array_state(sysroot, name);
    if (*sysroot)
        return;
    if (!volume->uuid)
        volume->uuid = array_uuid(name);
    rf_autofree char *path = rf_format("/dev/%s", name);
    if (volume->size)
        (void)rf_signatures_of(path, &volume->signatures, &volume->signatures_count,
                               NULL); /* a view only: steps look again */
}

/* NULL: no volume, by its kernel name. */
static const char *volume_kind(const char *name)
{
    static const struct {
        const char *prefix, *kind;
    } kinds[] = {{"md", "md"}, {"dm-", "dm"}, {"bcache", "bcache"}, {"drbd", "drbd"}};
    for (size_t i = 0; i < RF_COUNT(kinds); i++)
        if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].kind;
    return NULL;
}

void rf_inventory_volumes(const char *sysroot, rf_machine *machine)
{
    rf_autonames char **names = rf_sys_names(sysroot, "/sys/block");
    for (char **name = names; name && *name; name++) {
        const char *kind = volume_kind(*name);
        rf_autofree char *on = kind ? built_on(sysroot, *name) : NULL;
        /* size 0: not in use; or an array that does not run, or a container of firmware RAID, which hold their disks all the same */
        if (kind && (on || rf_sys_number(sysroot, 0, "/sys/block/%s/size", *name)))
            add_volume(sysroot, machine, *name, kind, RF_STEAL(on));
    }
}
