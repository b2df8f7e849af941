/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/foreign.h"

#include "base/memory.h"
#include "base/units.h"
#include "raid/inventory.h"

#include <inttypes.h>
#include <string.h>

static void add_signature(char **text, int indent, const char *where, const struct rf_signature *signature)
{
    bool table = strcmp(signature->usage, "partition-table") == 0;
    rf_append(text, "\n%*s%s: %s%s", indent, "", where, signature->type, table ? " partition table" : "");
    if (signature->label)
        rf_append(text, " \"%s\"", signature->label);
    if (signature->uuid)
        rf_append(text, ", UUID %s", signature->uuid);
    rf_append(text, ", at byte %" PRIu64, signature->offset);
}

static char *partition_title(const struct rf_partition *partition)
{
    rf_autofree char *size = rf_size_text(partition->size);
    char *title = rf_format("partition %u (%s", partition->number, size);
    if (partition->name)
        rf_append(&title, ", \"%s\"", partition->name);
    rf_append(&title, ")");
    return title;
}

static void add_partition(char **text, int indent, const struct rf_partition *partition)
{
    rf_autofree char *title = partition_title(partition);
    for (size_t i = 0; i < partition->signatures_count; i++)
        add_signature(text, indent, title, &partition->signatures[i]);
    if (partition->signatures_count == 0)
        rf_append(text, "\n%*s%s: type %s, nothing known in it", indent, "", title, partition->type_uuid);
}

char *rf_foreign_findings(const char *node_id, const struct rf_disk *disk, int indent)
{
    if (rf_disk_member(node_id, disk))
        return NULL;
    char *text = NULL;
    for (size_t i = 0; i < disk->signatures_count; i++)
        add_signature(&text, indent, "whole disk", &disk->signatures[i]);
    for (size_t i = 0; i < disk->partitions_count; i++)
        add_partition(&text, indent, &disk->partitions[i]);
    if (disk->in_use)
        rf_append(&text, "\n%*sin use: %s", indent, "", disk->in_use);
    return text;
}

static void add_disk(char **text, const char *node_id, const struct rf_disk *disk)
{
    rf_autofree char *findings = rf_foreign_findings(node_id, disk, 8);
    if (!findings)
        return;
    rf_autofree char *label = rf_disk_label(disk);
    rf_autofree char *size = rf_size_text(disk->size);
    rf_append(text, "\n    disk %s (%s, %s%s%s):%s", disk->name, label, size, disk->model ? ", " : "",
              disk->model ? disk->model : "", findings);
}

static void check_members(const rf_profile *profile, const struct rf_match *match, rf_problems *problems)
{
    const struct rf_disk *seen[RF_MEMBERS_MAX + 1] = {NULL};
    for (size_t i = 0; i < match->chosen_count; i++) {
        unsigned member = rf_disk_member(profile->node.id, match->chosen[i]);
        if (member && seen[member]) {
            rf_autofree char *first = rf_disk_label(seen[member]);
            rf_autofree char *second = rf_disk_label(match->chosen[i]);
            rf_problem(problems, "storage.disks",
                       "two disks say that they are disk %u of node %s (%s and %s): one is a copy; disconnect it",
                       member, profile->node.id, first, second);
        }
        seen[member] = match->chosen[i];
    }
}

/* A disk of this node that no longer matches has the same derived names as the one that would take its place. */
static void check_left_out(const rf_profile *profile, const struct rf_match *match, rf_problems *problems)
{
    for (size_t i = 0; i < match->count; i++) {
        const struct rf_match_row *row = &match->rows[i];
        unsigned member = row->reason ? rf_disk_member(profile->node.id, row->disk) : 0;
        if (!member)
            continue;
        rf_autofree char *label = rf_disk_label(row->disk);
        rf_problem(problems, "storage.disks",
                   "disk %s (%s) is disk %u of this node from an earlier installation, but is not chosen now (%s): "
                   "disconnect it, or match it too",
                   row->disk->name, label, member, row->reason);
    }
}

void rf_foreign_check(const rf_profile *profile, const struct rf_match *match, rf_problems *problems)
{
    check_members(profile, match, problems);
    check_left_out(profile, match, problems);
    rf_autofree char *text = NULL;
    for (size_t i = 0; i < match->chosen_count; i++)
        add_disk(&text, profile->node.id, match->chosen[i]);
    if (text)
        rf_problem(
            problems, "storage.foreign",
            "these disks hold data that is not node %s's; nothing was written:%s\n"
            "  If nobody needs it, empty these disks (from a rescue system: `mdadm --stop` and `vgchange -an` what "
            "runs on them, then `wipefs --all` each partition and then the disk) and start again; else match other "
            "disks.",
            profile->node.id, text);
}
