/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/disks.h"

#include "base/memory.h"
#include "raid/bootable.h"
#include "raid/match.h"

static const struct rf_disk *find_member(const char *node_id, const rf_machine *machine, unsigned member)
{
    for (size_t i = 0; i < machine->disks_count; i++)
        if (rf_disk_member(node_id, &machine->disks[i]) == member)
            return &machine->disks[i];
    return NULL;
}

static json_t *disk_json(const char *node_id, unsigned member, const struct rf_disk *disk)
{
    rf_autofree char *label = disk ? rf_disk_label(disk) : NULL;
    rf_autofree char *why =
        disk ? rf_disk_boot_lack(node_id, disk) : rf_strdup("it is not there, or its partition table can't be read");
    return json_pack("{s:I,s:s?,s:s?,s:b,s:s?}", "member", (json_int_t)member, "name", disk ? disk->name : NULL,
                     "identity", label, "boots", why == NULL, "why", why);
}

json_t *rf_disks_json(const rf_profile *profile, const rf_machine *machine)
{
    json_t *list = json_array();
    for (unsigned member = 1; member <= RF_MEMBERS_MAX; member++) {
        const struct rf_disk *disk = find_member(profile->node.id, machine, member);
        if (disk || member <= profile->storage.count)
            json_array_append_new(list, disk_json(profile->node.id, member, disk));
    }
    return list;
}

bool rf_disks_boot(const json_t *disks)
{
    for (size_t i = 0; i < json_array_size(disks); i++)
        if (!json_is_true(json_object_get(json_array_get(disks, i), "boots")))
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
