/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/foreign.h"

#include "base/memory.h"
#include "base/units.h"
#include "raid/consent.h"
#include "raid/holder.h"
#include "raid/inventory.h"
#include "raid/kind.h"

#include <string.h>

static void add_signature(char **text, int indent, const char *where, const struct rf_signature *signature)
{
    rf_autofree char *what = rf_kind_text(signature);
    rf_append(text, "\n%*s%s: %s", indent, "", where, what);
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

/* Whose disk it is, where that can be told. */
static void add_owner(char **text, const char *node_id, const struct rf_disk *disk, int indent)
{
    const struct rf_signature *left = rf_signature_find(disk->signatures, disk->signatures_count, RF_TABLE_LEFTOVER);
    const struct rf_disk view = {.table_uuid = left ? left->uuid : NULL};
    unsigned member = rf_disk_member(node_id, &view);
    if (member)
        rf_append(text, "\n%*sdisk %u of this node, whose partition table was overwritten", indent, "", member);
    else if (rf_kind_node(disk))
        rf_append(text, "\n%*s%s", indent, "", rf_kind_node(disk));
}

/* A kill while the table was written (raid/partition_write.c) leaves its backup, and perhaps the primary, without the protective MBR
 * that comes last: nobody goes by it, and there is nothing else. */
static bool is_interrupted(const char *node_id, const struct rf_disk *disk)
{
    bool only =
        disk->signatures_count == 1 && strcmp(disk->signatures[0].type, RF_TABLE_LEFTOVER) == 0 && !disk->in_use;
    const struct rf_disk view = {.table_uuid = only ? disk->signatures[0].uuid : NULL};
    for (size_t i = 0; i < disk->partitions_count && only; i++)
        only = disk->partitions[i].signatures_count == 0;
    return only && rf_disk_member(node_id, &view) > 0;
}

char *rf_foreign_findings(const char *node_id, const struct rf_disk *disk, int indent)
{
    if (rf_disk_member(node_id, disk))
        return NULL;
    if (is_interrupted(node_id, disk))
        return NULL;
    char *text = NULL;
    add_owner(&text, node_id, disk, indent);
    for (size_t i = 0; i < disk->signatures_count; i++)
        add_signature(&text, indent, "whole disk", &disk->signatures[i]);
    for (size_t i = 0; i < disk->partitions_count; i++)
        add_partition(&text, indent, &disk->partitions[i]);
    if (disk->in_use)
        rf_append(&text, "\n%*sin use: %s", indent, "", disk->in_use);
    return text;
}

/* What lies on it; then what runs on it, top first, as it would be shut down. */
static char *contents_of(const char *node_id, const rf_machine *machine, const struct rf_disk *disk)
{
    size_t count = 0;
    rf_autofree const struct rf_volume **holders = rf_holders_of(machine, disk->name, &count);
    struct rf_disk view = *disk;
    if (count)
        view.in_use = NULL; /* said better below */
    char *text = rf_foreign_findings(node_id, &view, 8);
    for (size_t i = 0; i < count; i++) {
        rf_autofree char *holder = rf_holder_text(holders[i]);
        rf_append(&text, "\n        runs on it: %s", holder);
    }
    return text;
}

static void add_disk(char **text, const rf_profile *profile, const rf_machine *machine, const struct rf_disk *disk)
{
    rf_autofree char *findings = rf_foreign_findings(profile->node.id, disk, 8);
    if (!findings || rf_consent_given(profile, disk))
        return;
    rf_autofree char *contents = contents_of(profile->node.id, machine, disk);
    rf_autofree char *label = rf_disk_label(disk);
    rf_autofree char *size = rf_size_text(disk->size);
    rf_append(text, "\n    disk %s (%s, %s%s%s):%s", disk->name, label, size, disk->model ? ", " : "",
              disk->model ? disk->model : "", contents ? contents : "");
}

/* What the profile would have to say, ready to be pasted; and how to do without. */
static char *way_out(const rf_profile *profile, const struct rf_match *match)
{
    rf_autofree char *line = rf_consent_line(profile, match);
    char *text = NULL;
    if (line)
        rf_append(&text,
                  "  If nobody needs any of it, say so in the profile, and start again; all that is listed here is "
                  "then shut down and "
                  "wiped:\n    storage:\n      %s\n  Else",
                  line);
    else
        rf_append(
            &text,
            "  One of these disks has neither serial number nor WWN nor bus path to name it by: empty it from a rescue "
            "system, or");
    rf_append(&text, " match other disks.");
    return text;
}

static bool carries(const rf_machine *machine, const struct rf_disk *disk)
{
    for (size_t i = 0; i < machine->volumes_count; i++)
        if (rf_holder_touches(&machine->volumes[i], disk->name))
            return true;
    return false;
}

/* Which of the two the node runs on, where that tells them apart; NULL where it does not. */
static const struct rf_disk *in_charge(const rf_machine *machine, const struct rf_disk *one, const struct rf_disk *two)
{
    const bool first = carries(machine, one), second = carries(machine, two);
    return first == second ? NULL : first ? one : two;
}

static void report_copy(const rf_profile *profile, const rf_machine *machine, const struct rf_disk *one,
                        const struct rf_disk *two, rf_problems *problems)
{
    const struct rf_disk *runs = in_charge(machine, one, two);
    rf_autofree char *first = rf_disk_label(one), *second = rf_disk_label(two);
    rf_autofree char *label = runs ? rf_disk_label(runs == one ? two : one) : NULL;
    rf_problem(problems, "storage.disks",
               "two disks say that they are disk %u of node %s (%s and %s): one is a copy, or was replaced by the "
               "other; disconnect %s%s",
               rf_disk_member(profile->node.id, one), profile->node.id, first, second, runs ? label : "it",
               runs ? ", on which nothing runs" : "");
}

static void check_members(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                          rf_problems *problems)
{
    const struct rf_disk *seen[RF_MEMBERS_MAX + 1] = {NULL};
    for (size_t i = 0; i < match->chosen_count; i++) {
        unsigned member = rf_disk_member(profile->node.id, match->chosen[i]);
        if (member && seen[member])
            report_copy(profile, machine, seen[member], match->chosen[i], problems);
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

void rf_foreign_check(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                      rf_problems *problems)
{
    check_members(profile, machine, match, problems);
    check_left_out(profile, match, problems);
    rf_autofree char *text = NULL;
    for (size_t i = 0; i < match->chosen_count; i++)
        add_disk(&text, profile, machine, match->chosen[i]);
    rf_autofree char *out = text ? way_out(profile, match) : NULL;
    if (text)
        rf_problem(
            problems, "storage.foreign",
            "these disks hold data that is not node %s's, and the profile does not consent to wipe them; nothing was "
            "written:%s\n%s",
            profile->node.id, text, out);
}
