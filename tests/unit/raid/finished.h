/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine after its plan was carried out: what an inventory would find then. */
#pragma once

#include "raid/bootable.h"
#include "raid/level.h"
#include "raid/plan.h"
#include "raid/steps.h"
#include "tests/unit/raid/raid.h"

static inline struct rf_signature *put_signature(struct rf_signature **list, size_t *count, const char *type,
                                                 const char *usage, const char *uuid, const char *label)
{
    struct rf_signature *signature = rf_array_add(list, count, sizeof(*signature));
    *signature = (struct rf_signature){
        .type = rf_strdup(type), .usage = rf_strdup(usage), .uuid = rf_strdup(uuid), .label = rf_strdup(label)};
    return signature;
}

static inline void put_superblock(struct rf_partition *part, const struct rf_layout_array *array)
{
    struct rf_signature *member = put_signature(&part->signatures, &part->signatures_count, "linux_raid_member", "raid",
                                                array->uuid, array->name);
    member->level = rf_strdup(rf_level_row(array->level)->kernel);
    member->layout = array->level == RF_LEVEL_RAID10 ? rf_strdup(rf_copies_name(array->copies)) : NULL;
    member->members = array->raid_disks;
}

static inline struct rf_disk *machine_disk(rf_machine *machine, const struct rf_layout_disk *disk)
{
    const struct rf_disk wanted = {.serial = disk->serial, .wwn = disk->wwn, .by_path = disk->by_path};
    for (size_t i = 0; i < machine->disks_count; i++)
        if (rf_disk_order(&wanted, &machine->disks[i]) == 0)
            return &machine->disks[i];
    return NULL;
}

/* A blank disk holds the layout's partitions now, and is marked. */
static inline void finish_disk(rf_machine *machine, const rf_layout *layout, const struct rf_layout_disk *disk)
{
    struct rf_disk *is = machine_disk(machine, disk);
    is->table_uuid = rf_strdup(disk->table_uuid);
    put_signature(&is->signatures, &is->signatures_count, "gpt", "partition-table", disk->table_uuid, NULL);
    rf_autofree char *esp = rf_format("esp-%u", disk->member);
    for (enum rf_part i = 0; i < RF_PARTS; i++) {
        struct rf_partition *part = rf_array_add(&is->partitions, &is->partitions_count, sizeof(*part));
        *part = (struct rf_partition){.number = disk->parts[i].number,
                                      .start = disk->parts[i].start,
                                      .size = disk->parts[i].size,
                                      .type_uuid = rf_strdup(disk->parts[i].type_uuid),
                                      .uuid = rf_strdup(disk->parts[i].uuid),
                                      .attributes = i == RF_PART_BIOS ? RF_ATTRIBUTE_BOOTABLE : 0};
        if (i == RF_PART_ESP)
            put_signature(&part->signatures, &part->signatures_count, "vfat", "filesystem",
                          rf_layout_filesystem(layout, esp)->uuid, rf_layout_filesystem(layout, esp)->label);
        else if (i == RF_PART_SYSTEM || i == RF_PART_DATA)
            put_superblock(part, i == RF_PART_SYSTEM ? &layout->system : &layout->data);
    }
}

static inline struct rf_volume *put_volume(rf_machine *machine, const char *kind, const char *uuid, const char *map,
                                           uint64_t size, const struct rf_layout_filesystem *filesystem)
{
    struct rf_volume *volume = rf_array_add(&machine->volumes, &machine->volumes_count, sizeof(*volume));
    *volume = (struct rf_volume){.name = rf_format("%s-%zu", kind, machine->volumes_count),
                                 .kind = rf_strdup(kind),
                                 .uuid = rf_strdup(uuid),
                                 .map = rf_strdup(map),
                                 .size = size};
    if (filesystem)
        put_signature(&volume->signatures, &volume->signatures_count, filesystem->type, "filesystem", filesystem->uuid,
                      filesystem->label);
    return volume;
}

/* Bytes that LVM gives the images of an array of so many bytes. */
static inline uint64_t images_of(uint64_t array)
{
    const uint64_t extent = 4 * RF_MIB;
    return (array - RF_MIB) / extent * RF_LAYOUT_IMAGES_PERCENT / 100 * extent;
}

static inline void finish_volumes(rf_machine *machine, const rf_layout *layout)
{
    rf_autofree char *map = rf_format("%s-%s", layout->images.group, layout->images.name);
    uint64_t data = rf_level_row(layout->data.level)->room(layout->data.size - 64 * RF_MIB, layout->data.raid_disks);
    put_volume(machine, "md", layout->system.uuid, NULL, layout->system.size - 64 * RF_MIB,
               rf_layout_filesystem(layout, "system"));
    put_volume(machine, "md", layout->data.uuid, NULL, data, NULL);
    struct rf_volume *images =
        put_volume(machine, "dm", "LVM-1", map, images_of(data), rf_layout_filesystem(layout, "images"));
    images->signatures[0].size = images->size;
}

/* A blank machine becomes one that was installed by this layout. */
static inline void finish_machine(rf_machine *machine, const rf_layout *layout)
{
    for (size_t i = 0; i < layout->disks_count; i++)
        finish_disk(machine, layout, &layout->disks[i]);
    finish_volumes(machine, layout);
}

static inline const struct rf_step *find_step(const rf_plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->steps[i].id, id) == 0)
            return &plan->steps[i];
    return NULL;
}
