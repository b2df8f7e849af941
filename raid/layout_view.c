/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to a layout: what it holds, as text; whether a disk already carries it. */
#include "base/memory.h"
#include "base/units.h"
#include "raid/layout.h"
#include "raid/level.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

const struct rf_layout_filesystem *rf_layout_filesystem(const rf_layout *layout, const char *id)
{
    for (size_t i = 0; i < layout->filesystems_count; i++)
        if (strcmp(layout->filesystems[i].id, id) == 0)
            return &layout->filesystems[i];
    return NULL;
}

static bool part_present(const struct rf_layout_part *part, const struct rf_disk *disk)
{
    for (size_t i = 0; i < disk->partitions_count; i++) {
        const struct rf_partition *is = &disk->partitions[i];
        if (is->number == part->number)
            return is->start == part->start && is->size == part->size && is->uuid &&
                   strcasecmp(is->uuid, part->uuid) == 0 && strcasecmp(is->type_uuid, part->type_uuid) == 0;
    }
    return false;
}

bool rf_layout_disk_done(const struct rf_layout_disk *layout, const struct rf_disk *disk)
{
    if (!disk->table_uuid || strcasecmp(disk->table_uuid, layout->table_uuid) != 0)
        return false;
    for (enum rf_part i = 0; i < RF_PARTS; i++)
        if (!part_present(&layout->parts[i], disk))
            return false;
    return true;
}

static void append_disk(char **text, const struct rf_layout_disk *disk)
{
    rf_append(text, "disk %u: %s serial=%s wwn=%s size=%" PRIu64 " sector=%u/%u gpt=%s\n", disk->member, disk->name,
              disk->serial ? disk->serial : "-", disk->wwn ? disk->wwn : "-", disk->size, disk->logical_sector,
              disk->physical_sector, disk->table_uuid);
    for (enum rf_part i = 0; i < RF_PARTS; i++) {
        const struct rf_layout_part *part = &disk->parts[i];
        rf_append(text, "  %u %-9s start=%" PRIu64 " MiB size=%" PRIu64 " MiB type=%s uuid=%s\n", part->number,
                  part->name, part->start / RF_MIB, part->size / RF_MIB, part->type_uuid, part->uuid);
    }
    if (disk->unused >= RF_LAYOUT_WORTH_SAYING)
        rf_append(text, "  unused: %" PRIu64 " MiB\n", disk->unused / RF_MIB);
}

static void append_array(char **text, const struct rf_layout_array *array)
{
    rf_append(text, "array %s: %s level=%s", array->name, array->device, rf_level_name(array->level));
    if (array->level == RF_LEVEL_RAID10)
        rf_append(text, " layout=%s", rf_copies_name(array->copies));
    rf_append(text, " members=%u", array->raid_disks);
    if (rf_array_spares(array))
        rf_append(text, " spares=%u", rf_array_spares(array));
    if (rf_array_missing(array))
        rf_append(text, " missing=%u", rf_array_missing(array));
    rf_append(text, " uuid=%s\n", array->uuid);
    for (size_t i = 0; i < array->members_count; i++)
        rf_append(text, "  %s\n", array->members[i]);
}

char *rf_layout_text(const rf_layout *layout)
{
    char *text = NULL;
    for (size_t i = 0; i < layout->disks_count; i++)
        append_disk(&text, &layout->disks[i]);
    append_array(&text, &layout->system);
    append_array(&text, &layout->data);
    rf_append(&text, "volume %s: group=%s on %s, %d %%\n", layout->images.name, layout->images.group,
              layout->images.physical, RF_LAYOUT_IMAGES_PERCENT);
    for (size_t i = 0; i < layout->filesystems_count; i++) {
        const struct rf_layout_filesystem *filesystem = &layout->filesystems[i];
        rf_append(&text, "filesystem %s: %s on %s uuid=%s label=%s\n", filesystem->id, filesystem->type,
                  filesystem->device, filesystem->uuid, filesystem->label);
    }
    return text;
}
