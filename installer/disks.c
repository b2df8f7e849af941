/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/disks.h"

#include "base/memory.h"
#include "raid/bootable.h"
#include "raid/match.h"
#include "raid/plan.h"
#include "raid/present.h"

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

/* Is it in that list ("spares", "onto") of the system array? */
static bool is_listed(const struct rf_disk *disk, const json_t *arrays, const char *list)
{
    for (size_t i = 0; disk && i < json_array_size(arrays); i++) {
        const json_t *array = json_array_get(arrays, i), *names = json_object_get(array, list);
        for (size_t j = 0; strcmp(rf_json_string(array, "name"), "system") == 0 && j < json_array_size(names); j++)
            if (is_partition_of(json_string_value(json_array_get(names, j)), disk->name))
                return true;
    }
    return false;
}

/* Does the node run without it, although it has been a member? Then the system on it is an old one. */
static bool is_out(const rf_profile *profile, const rf_machine *machine, unsigned member)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autolayout rf_layout *layout = rf_layout_present(profile, machine, &problems);
    for (size_t i = 0; layout && i < layout->disks_count; i++) {
        const char *word = layout->disks[i].member == member ? rf_raid_word(layout, i, machine) : NULL;
        if (word && strcmp(word, "readd") == 0)
            return true;
    }
    return false;
}

static char *lack_of(const rf_profile *profile, const rf_machine *machine, unsigned member, const struct rf_disk *disk,
                     const json_t *arrays)
{
    if (!disk)
        return rf_strdup("it is not there, or its partition table can't be read");
    char *lack = rf_disk_boot_lack(profile->node.id, disk);
    if (lack)
        return lack;
    if (is_out(profile, machine, member))
        return rf_strdup("it was out, and the system on it is an old one");
    return is_listed(disk, arrays, "onto") ? rf_strdup("its part of the system is still being filled") : NULL;
}

static json_t *disk_json(const rf_profile *profile, const rf_machine *machine, unsigned member,
                         const struct rf_disk *disk, const json_t *arrays)
{
    rf_autofree char *label = disk ? rf_disk_label(disk) : NULL;
    rf_autofree char *why = lack_of(profile, machine, member, disk, arrays);
    bool lacks = why != NULL;
    if (!why && is_listed(disk, arrays, "spares"))
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
            json_array_append_new(list, disk_json(profile, machine, member, disk, arrays));
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
