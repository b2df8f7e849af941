/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a disk would need to bring its node up alone, as far as the inventory tells. */
#include "base/memory.h"
#include "raid/bootable.h"
#include "raid/inventory.h"

static bool holds(const struct rf_disk *disk, enum rf_part part, const char *type)
{
    for (size_t i = 0; i < disk->partitions_count; i++) {
        const struct rf_partition *found = &disk->partitions[i];
        if (found->number == part + 1U)
            return rf_signature_find(found->signatures, found->signatures_count, type) != NULL;
    }
    return false;
}

bool rf_disk_takes_loaders(const struct rf_disk *disk)
{
    return holds(disk, RF_PART_ESP, "vfat") && holds(disk, RF_PART_SYSTEM, "linux_raid_member");
}

char *rf_disk_boot_lack(const char *node_id, const struct rf_disk *disk)
{
    if (!holds(disk, RF_PART_ESP, "vfat"))
        return rf_strdup("its ESP holds no FAT file system");
    if (!holds(disk, RF_PART_SYSTEM, "linux_raid_member"))
        return rf_strdup("its part of the system array is missing");
    if (!rf_disk_committed(node_id, disk))
        return rf_strdup("its boot loaders were not finished; `richtfest apply --node` writes them");
    return NULL;
}
