/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/layout.h"

#include "base/memory.h"
#include "base/units.h"
#include "raid/bootable.h"
#include "raid/consent.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *const rf_layout_subvolumes[] = {"roots", "state", NULL};

static const struct {
    const char *name, *type_uuid;
} parts[RF_PARTS] = {
    [RF_PART_BIOS] = {"rf-bios", RF_TYPE_BIOS},
    [RF_PART_ESP] = {"rf-esp", RF_TYPE_ESP},
    [RF_PART_SYSTEM] = {"rf-system", RF_TYPE_RAID},
    [RF_PART_DATA] = {"rf-data", RF_TYPE_RAID},
};

struct sizes {
    uint64_t system, data;
};

static uint64_t whole_mib(uint64_t bytes)
{
    return bytes / RF_LAYOUT_ALIGN * RF_LAYOUT_ALIGN;
}

static void part_uuid(const char *node_id, unsigned member, enum rf_part part, char ret_uuid[RF_UUID_TEXT])
{
    rf_autofree char *what = rf_format("disk/%u/%s", member, parts[part].name);
    rf_uuid(node_id, what, ret_uuid);
}

static uint64_t system_size(uint64_t disk)
{
    uint64_t half = disk / 2 / RF_GIB * RF_GIB;
    if (half >= RF_LAYOUT_SYSTEM)
        return RF_LAYOUT_SYSTEM;
    return half > RF_LAYOUT_SYSTEM_MIN ? half : RF_LAYOUT_SYSTEM_MIN;
}

/* What members of an earlier run already have; 0 where none has it. */
static struct sizes sizes_present(const char *node_id, const struct rf_match *match)
{
    struct sizes sizes = {0, 0};
    for (size_t i = 0; i < match->chosen_count; i++) {
        const struct rf_disk *disk = match->chosen[i];
        unsigned member = rf_disk_member(node_id, disk);
        for (size_t j = 0; member && j < disk->partitions_count; j++) {
            char system[RF_UUID_TEXT], data[RF_UUID_TEXT];
            part_uuid(node_id, member, RF_PART_SYSTEM, system);
            part_uuid(node_id, member, RF_PART_DATA, data);
            const struct rf_partition *part = &disk->partitions[j];
            if (part->uuid && strcasecmp(part->uuid, system) == 0)
                sizes.system = part->size;
            if (part->uuid && strcasecmp(part->uuid, data) == 0)
                sizes.data = part->size;
        }
    }
    return sizes;
}

static const struct rf_disk *smallest_of(const struct rf_match *match)
{
    const struct rf_disk *smallest = match->chosen[0];
    for (size_t i = 1; i < match->chosen_count; i++)
        if (match->chosen[i]->size < smallest->size)
            smallest = match->chosen[i];
    return smallest;
}

/* Of each disk whether it could hold the node's partitions. The caller frees it. */
static char *table_of_sizes(const char *node_id, const struct rf_match *match, uint64_t least)
{
    static char small[] = "too small";
    rf_autofree struct rf_match_row *rows = rf_alloc((match->count + 1) * sizeof(*rows));
    for (size_t i = 0; i < match->count; i++) {
        rows[i] = match->rows[i]; /* whose reasons stay its own */
        if (!rows[i].reason && whole_mib(rows[i].disk->size) < least)
            rows[i].reason = small;
    }
    return rf_match_table(node_id, rows, match->count);
}

static void report_small(const char *node_id, const struct rf_match *match, uint64_t least, bool fresh,
                         rf_problems *problems)
{
    const struct rf_disk *smallest = smallest_of(match);
    rf_autofree char *have = rf_size_text_binary(smallest->size), *want = rf_size_text_binary(least);
    rf_autofree char *label = rf_disk_label(smallest);
    rf_autofree char *table = fresh ? rf_strdup("") : table_of_sizes(node_id, match, least);
    rf_problem(problems, "storage.disks", "disk %s (%s) has %s; %s are needed %s%s", smallest->name, label, have, want,
               fresh ? "for system and data" : "beside the disks that this node already has; put in one as large",
               table);
}

static bool choose_sizes(const rf_profile *profile, const struct rf_match *match, struct sizes *ret_sizes,
                         rf_problems *problems)
{
    const struct rf_disk *smallest = smallest_of(match);
    struct sizes sizes = sizes_present(profile->node.id, match);
    uint64_t fixed = RF_LAYOUT_ALIGN + RF_LAYOUT_BIOS + RF_LAYOUT_ESP;
    uint64_t room = whole_mib(smallest->size);
    bool fresh = sizes.system == 0 || sizes.data == 0;
    if (fresh)
        sizes.system = system_size(smallest->size);
    uint64_t least = fixed + sizes.system + (fresh ? RF_LAYOUT_DATA_MIN : sizes.data);
    uint64_t tail =
        fresh ? RF_LAYOUT_TAIL : RF_LAYOUT_ALIGN; /* a replacement may use the tail: that is what it is for */
    if (room < least + tail) {
        report_small(profile->node.id, match, least + tail, fresh, problems);
        return false;
    }
    if (fresh)
        sizes.data = room - tail - fixed - sizes.system;
    *ret_sizes = sizes;
    return true;
}

/* 512n, 512e and 4Kn all divide 1 MiB; what does not (520 and 528 bytes, as storage arrays format their disks) can't be used. A
 * physical sector is a hint only, so one that makes no sense is taken for the logical one. */
static bool check_sectors(const struct rf_match *match, rf_problems *problems)
{
    bool good = true;
    for (size_t i = 0; i < match->chosen_count; i++) {
        const struct rf_disk *disk = match->chosen[i];
        if (disk->logical_sector && RF_LAYOUT_ALIGN % disk->logical_sector == 0)
            continue;
        rf_autofree char *label = rf_disk_label(disk);
        rf_problem(
            problems, "storage.disks",
            "disk %s (%s) has sectors of %u bytes, which nothing can be aligned to; format it with sectors of 512 "
            "or 4096 bytes (`sg_format`, `nvme format`), or match other disks",
            disk->name, label, disk->logical_sector);
        good = false;
    }
    return good;
}

static unsigned physical_sector(const struct rf_disk *disk)
{
    unsigned physical = disk->physical_sector;
    return physical >= disk->logical_sector && RF_LAYOUT_ALIGN % physical == 0 ? physical : disk->logical_sector;
}

static uint64_t unused_of(const struct rf_layout_disk *disk)
{
    const struct rf_layout_part *last = &disk->parts[RF_PARTS - 1];
    uint64_t used = last->start + last->size + RF_LAYOUT_TAIL;
    return disk->size > used ? disk->size - used : 0;
}

static void fill_parts(struct rf_layout_disk *disk, const struct sizes *sizes)
{
    const uint64_t size[RF_PARTS] = {RF_LAYOUT_BIOS, RF_LAYOUT_ESP, sizes->system, sizes->data};
    uint64_t start = RF_LAYOUT_ALIGN;
    for (enum rf_part i = 0; i < RF_PARTS; i++) {
        struct rf_layout_part *part = &disk->parts[i];
        part->name = parts[i].name;
        part->type_uuid = parts[i].type_uuid;
        part->number = i + 1;
        part->start = start;
        part->size = size[i];
        part_uuid(disk->node_id, disk->member, i, part->uuid);
        part->device = rf_format("/dev/disk/by-partuuid/%s", part->uuid);
        start += size[i];
    }
}

bool rf_disk_committed(const char *node_id, const struct rf_disk *disk)
{
    bool ours = rf_disk_member(node_id, disk) > 0;
    for (size_t i = 0; ours && i < disk->partitions_count; i++)
        if (disk->partitions[i].number == RF_PART_BIOS + 1)
            return disk->partitions[i].attributes & RF_ATTRIBUTE_BOOTABLE;
    return false;
}

static void fill_disk(rf_layout *layout, struct rf_layout_disk *disk, const struct rf_disk *from, unsigned member,
                      const struct sizes *sizes)
{
    disk->node_id = layout->node_id;
    disk->member = member;
    disk->name = rf_strdup(from->name);
    disk->serial = rf_strdup(from->serial);
    disk->wwn = rf_strdup(from->wwn);
    disk->by_path = rf_strdup(from->by_path);
    disk->model = rf_strdup(from->model);
    disk->size = from->size;
    disk->logical_sector = from->logical_sector;
    disk->physical_sector = physical_sector(from);
    disk->committed = rf_disk_committed(layout->node_id, from);
    rf_autofree char *what = rf_format("disk/%u", member);
    rf_uuid(layout->node_id, what, disk->table_uuid);
    fill_parts(disk, sizes);
    disk->unused = unused_of(disk);
}

static int by_member(const void *left, const void *right)
{
    const struct rf_layout_disk *a = left, *b = right;
    return a->member < b->member ? -1 : a->member > b->member;
}

static void fill_disks(rf_layout *layout, const struct rf_match *match, const struct sizes *sizes)
{
    bool taken[2 * RF_MEMBERS_MAX + 2] = {false};
    for (size_t i = 0; i < match->chosen_count; i++)
        taken[rf_disk_member(layout->node_id, match->chosen[i])] = true;
    unsigned next = 1;
    for (size_t i = 0; i < match->chosen_count; i++) {
        unsigned member = rf_disk_member(layout->node_id, match->chosen[i]);
        while (!member && taken[next])
            next++;
        struct rf_layout_disk *disk = rf_array_add(&layout->disks, &layout->disks_count, sizeof(*disk));
        fill_disk(layout, disk, match->chosen[i], member ? member : next++, sizes);
    }
    qsort(layout->disks, layout->disks_count, sizeof(*layout->disks), by_member);
}

static void fill_array(const rf_layout *layout, struct rf_layout_array *array, const char *name, enum rf_part part)
{
    array->name = name;
    array->device = rf_format(RF_ARRAY_DIR "%s", name);
    array->size = layout->disks[0].parts[part].size;
    array->disks = layout->disks;
    array->disks_count = layout->disks_count;
    rf_autofree char *what = rf_format("array/%s", name);
    rf_uuid(layout->node_id, what, array->uuid);
    for (size_t i = 0; i < layout->disks_count; i++) {
        array->committed[i] = layout->disks[i].committed;
        *(char **)rf_array_add(&array->members, &array->members_count, sizeof(*array->members)) =
            rf_strdup(layout->disks[i].parts[part].device);
    }
}

static bool any_committed(const rf_layout *layout)
{
    for (size_t i = 0; i < layout->disks_count; i++)
        if (layout->disks[i].committed)
            return true;
    return false;
}

static void fill_volume(rf_layout *layout)
{
    char uuid[RF_UUID_TEXT];
    rf_uuid(layout->node_id, "volume-group/data", uuid);
    layout->images = (struct rf_layout_volume){
        .group = rf_format("rf_%.8s", uuid), .name = "images", .physical = rf_strdup(layout->data.device)};
    layout->images.device = rf_format("/dev/%s/%s", layout->images.group, layout->images.name);
    layout->images.committed = any_committed(layout);
}

/* Takes the id over. */
static struct rf_layout_filesystem *add_filesystem(rf_layout *layout, char *id, const char *type, const char *device,
                                                   bool committed)
{
    struct rf_layout_filesystem *filesystem =
        rf_array_add(&layout->filesystems, &layout->filesystems_count, sizeof(*filesystem));
    filesystem->id = id;
    filesystem->type = type;
    filesystem->device = rf_strdup(device);
    filesystem->committed = committed;
    filesystem->label = rf_format("rf-%s", id);
    rf_autofree char *what = rf_format("filesystem/%s", id);
    rf_uuid(layout->node_id, what, filesystem->uuid);
    return filesystem;
}

static void to_upper(char *text)
{
    for (; *text; text++)
        *text = (char)toupper((unsigned char)*text);
}

/* A FAT volume has a serial number of 32 bits, which libblkid shows as "1A2B-3C4D", and a label in capitals. */
static void add_esp(rf_layout *layout, const struct rf_layout_disk *disk)
{
    struct rf_layout_filesystem *esp = add_filesystem(layout, rf_format("esp-%u", disk->member), "vfat",
                                                      disk->parts[RF_PART_ESP].device, disk->committed);
    char serial[10];
    snprintf(serial, sizeof(serial), "%.4s-%.4s", esp->uuid, esp->uuid + 4);
    snprintf(esp->uuid, sizeof(esp->uuid), "%s", serial);
    esp->disk = disk;
    to_upper(esp->uuid);
    to_upper(esp->label);
}

static void fill_filesystems(rf_layout *layout)
{
    for (size_t i = 0; i < layout->disks_count; i++)
        add_esp(layout, &layout->disks[i]);
    bool committed = any_committed(layout);
    add_filesystem(layout, rf_strdup("system"), "btrfs", layout->system.device, committed);
    add_filesystem(layout, rf_strdup("images"), "xfs", layout->images.device, committed);
}

rf_layout *rf_layout_new(const rf_profile *profile, const struct rf_match *match, rf_problems *problems)
{
    struct sizes sizes;
    if (match->chosen_count == 0 || match->chosen_count > RF_MEMBERS_MAX || !check_sectors(match, problems) ||
        !choose_sizes(profile, match, &sizes, problems))
        return NULL;
    rf_layout *layout = rf_alloc(sizeof(*layout));
    layout->node_id = rf_strdup(profile->node.id);
    fill_disks(layout, match, &sizes);
    layout->system.level = profile->storage.count > 1 ? RF_LEVEL_RAID1 : RF_LEVEL_SINGLE;
    layout->data.level = profile->storage.level;
    layout->data.copies = profile->storage.layout;
    layout->system.raid_disks = layout->data.raid_disks = profile->storage.count;
    fill_array(layout, &layout->system, "system", RF_PART_SYSTEM);
    fill_array(layout, &layout->data, "data", RF_PART_DATA);
    fill_volume(layout);
    fill_filesystems(layout);
    return layout;
}

static void array_clear(struct rf_layout_array *array)
{
    free(array->device);
    for (size_t i = 0; i < array->members_count; i++)
        free(array->members[i]);
    free(array->members);
}

static void disk_clear(struct rf_layout_disk *disk)
{
    free(disk->name);
    free(disk->serial);
    free(disk->wwn);
    free(disk->by_path);
    free(disk->model);
    for (enum rf_part i = 0; i < RF_PARTS; i++)
        free(disk->parts[i].device);
    rf_consent_free(disk->consent);
}

void rf_layout_free(rf_layout *layout)
{
    if (!layout)
        return;
    for (size_t i = 0; i < layout->disks_count; i++)
        disk_clear(&layout->disks[i]);
    free(layout->disks);
    array_clear(&layout->system);
    array_clear(&layout->data);
    free(layout->images.group);
    free(layout->images.physical);
    free(layout->images.device);
    for (size_t i = 0; i < layout->filesystems_count; i++) {
        free(layout->filesystems[i].id);
        free(layout->filesystems[i].device);
        free(layout->filesystems[i].label);
    }
    free(layout->filesystems);
    free(layout->node_id);
    free(layout);
}
