/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/disks.h"

#include "base/memory.h"
#include "raid/bootable.h"
#include "raid/match.h"

#include <string.h>

static const struct rf_disk *find_member(const char *node_id, const rf_machine *machine, unsigned member)
{
    for (size_t i = 0; i < machine->disks_count; i++)
        if (rf_disk_member(node_id, &machine->disks[i]) == member)
            return &machine->disks[i];
    return NULL;
}

/* "sdc3" of sdc, "nvme0n1p3" of nvme0n1. */
static bool is_partition_of(const char *partition, const char *disk)
{
    size_t length = strlen(disk);
    if (strncmp(partition, disk, length) != 0)
        return false;
    const char *rest = partition + length + (partition[length] == 'p');
    return *rest && rest[strspn(rest, "0123456789")] == '\0';
}

/* Does it stand by in the system array? Then it holds nothing of the system yet. */
static bool is_spare(const struct rf_disk *disk, const json_t *arrays)
{
    for (size_t i = 0; disk && i < json_array_size(arrays); i++) {
        const json_t *array = json_array_get(arrays, i), *spares = json_object_get(array, "spares");
        for (size_t j = 0; strcmp(rf_json_string(array, "name"), "system") == 0 && j < json_array_size(spares); j++)
            if (is_partition_of(json_string_value(json_array_get(spares, j)), disk->name))
                return true;
    }
    return false;
}

static json_t *disk_json(const char *node_id, unsigned member, const struct rf_disk *disk, bool spare)
{
    rf_autofree char *label = disk ? rf_disk_label(disk) : NULL;
    rf_autofree char *why =
        disk ? rf_disk_boot_lack(node_id, disk) : rf_strdup("it is not there, or its partition table can't be read");
    bool lacks = why != NULL;
    if (!why && spare)
        why = rf_strdup("it is a spare, and will when it has taken a member's place");
    return json_pack("{s:I,s:s?,s:s?,s:b,s:s?,s:b}", "member", (json_int_t)member, "name", disk ? disk->name : NULL,
                     "identity", label, "boots", why == NULL, "why", why, "well", !lacks);
}

json_t *rf_disks_json(const rf_profile *profile, const rf_machine *machine, const json_t *arrays)
{
    json_t *list = json_array();
    for (unsigned member = 1; member <= RF_MEMBERS_MAX; member++) {
        const struct rf_disk *disk = find_member(profile->node.id, machine, member);
        if (disk || member <= rf_profile_disks(profile))
            json_array_append_new(list, disk_json(profile->node.id, member, disk, is_spare(disk, arrays)));
    }
    return list;
}

bool rf_disks_boot(const json_t *disks)
{
    for (size_t i = 0; i < json_array_size(disks); i++)
        if (!json_is_true(json_object_get(json_array_get(disks, i), "well")))
            return false;
    return true;
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

char *rf_disks_text(const json_t *disks)
{
    char *text = rf_format("%-5s %-10s %-28s %s\n", "DISK", "NAME", "IDENTITY", "BOOTS ALONE");
    for (size_t i = 0; i < json_array_size(disks); i++) {
        const json_t *disk = json_array_get(disks, i);
        const char *why = rf_json_string(disk, "why");
        rf_append(&text, "%-5lld %-10s %-28s %s%s\n", (long long)rf_json_integer(disk, "member", 0),
                  or_dash(rf_json_string(disk, "name")), or_dash(rf_json_string(disk, "identity")),
                  why ? "no: " : "yes", why ? why : "");
    }
    return text;
}
