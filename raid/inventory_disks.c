/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inventory: disks, and the volumes that are built on them. */
#include "base/memory.h"
#include "raid/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { SECTOR = 512 };

static int probe_path(const char *path, struct rf_disk *disk, rf_error **err)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "it can't be opened");
    return rf_disk_probe(fd, disk, err);
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
        if (!*sysroot)
            probe_disk(disk);
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

static void add_volume(const char *sysroot, rf_machine *machine, const char *name, const char *kind)
{
    struct rf_volume *volume = rf_array_add(&machine->volumes, &machine->volumes_count, sizeof(*volume));
    volume->name = rf_strdup(name);
    volume->kind = rf_strdup(kind);
    volume->size = rf_sys_number(sysroot, 0, "/sys/block/%s/size", name) * SECTOR;
    volume->map = rf_sys_text(sysroot, "/sys/block/%s/dm/name", name);
    volume->uuid = rf_sys_text(sysroot, "/sys/block/%s/dm/uuid", name);
    if (*sysroot)
        return;
    if (!volume->uuid)
        volume->uuid = array_uuid(name);
    rf_autofree char *path = rf_format("/dev/%s", name);
    (void)rf_signatures_of(path, &volume->signatures, &volume->signatures_count,
                           NULL); /* a view only: steps look again */
}

void rf_inventory_volumes(const char *sysroot, rf_machine *machine)
{
    rf_autonames char **names = rf_sys_names(sysroot, "/sys/block");
    for (char **name = names; name && *name; name++) {
        if (rf_sys_number(sysroot, 0, "/sys/block/%s/size", *name) == 0)
            continue;
        if (strncmp(*name, "md", 2) == 0)
            add_volume(sysroot, machine, *name, "md");
        else if (strncmp(*name, "dm-", 3) == 0)
            add_volume(sysroot, machine, *name, "dm");
    }
}
