/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/match.h"

#include "base/ident.h"
#include "base/memory.h"
#include "base/units.h"
#include "raid/inventory.h"

#include <string.h>
#include <strings.h>

static int text_order(const char *left, const char *right)
{
    if (!left || !right)
        return (left == NULL) - (right == NULL);
    return strcmp(left, right);
}

int rf_disk_order(const struct rf_disk *left, const struct rf_disk *right)
{
    int order = text_order(left->serial, right->serial);
    if (order == 0)
        order = text_order(left->wwn, right->wwn);
    return order ? order : text_order(left->by_path, right->by_path);
}

unsigned rf_disk_member(const char *node_id, const struct rf_disk *disk)
{
    for (unsigned member = 1; disk->table_uuid && member <= RF_MEMBERS_MAX; member++) {
        char uuid[RF_UUID_TEXT];
        rf_autofree char *what = rf_format("disk/%u", member);
        rf_uuid(node_id, what, uuid);
        if (strcasecmp(uuid, disk->table_uuid) == 0)
            return member;
    }
    return 0;
}

char *rf_disk_label(const struct rf_disk *disk)
{
    if (disk->serial)
        return rf_format("serial %s", disk->serial);
    if (disk->wwn)
        return rf_format("wwn %s", disk->wwn);
    return disk->by_path ? rf_format("path %s", disk->by_path) : rf_strdup("no identity");
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Each check returns why the disk does not match, or NULL. */

static char *check_identity(const rf_profile *profile, const struct rf_disk *disk)
{
    (void)profile;
    return disk->serial || disk->wwn || disk->by_path
               ? NULL
               : rf_strdup("has neither serial nor WWN nor bus path to know it by");
}

static char *check_use(const rf_profile *profile, const struct rf_disk *disk)
{
    if (!disk->in_use || starts_with(disk->in_use, RF_USE_HOLDER))
        return NULL;
    bool never = starts_with(disk->in_use, RF_USE_UNREADABLE) || starts_with(disk->in_use, RF_USE_MEDIUM);
    if (!never && rf_disk_member(profile->node.id, disk))
        return NULL;
    return never ? rf_strdup(disk->in_use) : rf_format("in use: %s", disk->in_use);
}

static char *check_writable(const rf_profile *profile, const struct rf_disk *disk)
{
    if (disk->read_only)
        return rf_strdup("read-only");
    const char *asked = profile->storage.match.transport;
    bool usb = asked && strcmp(asked, "usb") == 0;
    return disk->removable && !usb ? rf_strdup("removable") : NULL;
}

static char *check_size(const rf_profile *profile, const struct rf_disk *disk)
{
    const struct rf_size_band *band = &profile->storage.match.size;
    bool small = band->min && disk->size < band->min, large = band->max && disk->size > band->max;
    if (!small && !large)
        return NULL;
    rf_autofree char *have = rf_size_text(disk->size);
    rf_autofree char *bound = rf_size_text(small ? band->min : band->max);
    return rf_format("size %s is %s %s", have, small ? "below" : "above", bound);
}

static char *check_rotational(const rf_profile *profile, const struct rf_disk *disk)
{
    enum rf_tristate asked = profile->storage.match.rotational;
    if (asked == RF_ANY || (asked == RF_YES && disk->rotational == RF_ROTATIONAL_YES) ||
        (asked == RF_NO && disk->rotational == RF_ROTATIONAL_NO))
        return NULL;
    if (disk->rotational == RF_ROTATIONAL_UNKNOWN)
        return rf_strdup("does not say whether it is rotational");
    return rf_strdup(asked == RF_YES ? "not rotational" : "rotational");
}

static bool text_matches(const char *pattern, const char *text)
{
    size_t length = strlen(pattern);
    if (length && pattern[length - 1] == '*')
        return strncmp(pattern, text, length - 1) == 0;
    return strcmp(pattern, text) == 0;
}

static char *check_texts(const rf_profile *profile, const struct rf_disk *disk)
{
    const struct rf_disk_match *match = &profile->storage.match;
    const struct {
        const char *name, *asked, *has;
    } texts[] = {{"model", match->model, disk->model},
                 {"serial", match->serial, disk->serial},
                 {"wwn", match->wwn, disk->wwn},
                 {"transport", match->transport, disk->transport}};
    for (size_t i = 0; i < RF_COUNT(texts); i++) {
        if (texts[i].asked && !texts[i].has)
            return rf_format("has no %s", texts[i].name);
        if (texts[i].asked && !text_matches(texts[i].asked, texts[i].has))
            return rf_format("%s \"%s\" is not \"%s\"", texts[i].name, texts[i].has, texts[i].asked);
    }
    return NULL;
}

static char *reason_against(const rf_profile *profile, const struct rf_disk *disk)
{
    static char *(*const checks[])(const rf_profile *profile, const struct rf_disk *disk) = {
        check_use, check_writable, check_identity, check_size, check_rotational, check_texts,
    };
    for (size_t i = 0; i < RF_COUNT(checks); i++) {
        char *reason = checks[i](profile, disk);
        if (reason)
            return reason;
    }
    return NULL;
}

static int row_order(const void *left, const void *right)
{
    const struct rf_match_row *a = left, *b = right;
    int order = rf_disk_order(a->disk, b->disk);
    return order ? order : strcmp(a->disk->name, b->disk->name); /* for the table only: twins are never chosen */
}

static void make_rows(const rf_profile *profile, const rf_machine *machine, struct rf_match *match)
{
    for (size_t i = 0; i < machine->disks_count; i++) {
        struct rf_match_row *row = rf_array_add(&match->rows, &match->count, sizeof(*row));
        row->disk = &machine->disks[i];
        row->reason = reason_against(profile, row->disk);
    }
    if (match->count)
        qsort(match->rows, match->count, sizeof(*match->rows), row_order);
}

/* Columns as wide as their widest cell; the last one is free. */
/* "matches, disk 2 of this node": a person who has to take one out sees which. The caller frees it. */
static char *verdict(const char *node_id, const struct rf_match_row *row)
{
    const unsigned member = rf_disk_member(node_id, row->disk);
    if (row->reason)
        return rf_format("no: %s", row->reason);
    return member ? rf_format("matches, disk %u of this node", member) : rf_strdup("matches");
}

char *rf_match_table(const char *node_id, const struct rf_match_row *rows, size_t count)
{
    int name = 0, size = 0, label = 0;
    for (size_t i = 0; i < count; i++) {
        rf_autofree char *text = rf_size_text(rows[i].disk->size);
        rf_autofree char *identity = rf_disk_label(rows[i].disk);
        name = (int)strlen(rows[i].disk->name) > name ? (int)strlen(rows[i].disk->name) : name;
        size = (int)strlen(text) > size ? (int)strlen(text) : size;
        label = (int)strlen(identity) > label ? (int)strlen(identity) : label;
    }
    char *table = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct rf_match_row *row = &rows[i];
        rf_autofree char *text = rf_size_text(row->disk->size);
        rf_autofree char *identity = rf_disk_label(row->disk);
        rf_autofree char *what = verdict(node_id, row);
        rf_append(&table, "\n    %-*s  %*s  %-*s  %s", name, row->disk->name, size, text, label, identity, what);
    }
    return table ? table : rf_strdup("\n    (this machine has no disks)");
}

/* Two paths to one disk (multipath), or hardware that gives every disk the same serial. */
static bool twins(const struct rf_match *match, rf_problems *problems)
{
    for (size_t i = 1; i < match->chosen_count; i++) {
        const struct rf_disk *left = match->chosen[i - 1], *right = match->chosen[i];
        bool one_wwn = left->wwn && right->wwn && strcmp(left->wwn, right->wwn) == 0;
        if (rf_disk_order(left, right) != 0 && !one_wwn)
            continue;
        rf_autofree char *label = rf_disk_label(left);
        rf_problem(
            problems, "storage.disks.match",
            "%s and %s can't be told apart (%s): they may be two paths to one disk; match them by something else, "
            "or disconnect one",
            left->name, right->name, label);
        return true;
    }
    return false;
}

/* " (4 members and 1 spare)": where it is not just members that are all there. */
static char *composition(const rf_profile *profile)
{
    unsigned missing = profile->storage.missing, spares = profile->storage.spares;
    if (spares)
        return rf_format(" (%u members and %u spare%s)", profile->storage.count, spares, spares == 1 ? "" : "s");
    return missing ? rf_format(" (of %u members %u %s missing on purpose)", profile->storage.count, missing,
                               missing == 1 ? "is" : "are")
                   : rf_strdup("");
}

static void report_number(const rf_profile *profile, const struct rf_match *match, rf_problems *problems)
{
    unsigned asked = rf_profile_disks(profile), ours = 0;
    for (size_t i = 0; i < match->chosen_count; i++)
        ours += rf_disk_member(profile->node.id, match->chosen[i]) > 0;
    const char *advice =
        match->chosen_count < asked ? "add disks or widen storage.disks.match"
        : profile->storage.missing
            ? "narrow storage.disks.match, or leave storage.missing out if the missing disk is there now"
        : ours ? "take out the one that is to be replaced, or narrow storage.disks.match until exactly these are left"
               : "narrow storage.disks.match until exactly these are left";
    rf_autofree char *table = rf_match_table(profile->node.id, match->rows, match->count);
    rf_autofree char *parts = composition(profile);
    rf_problem(problems, "storage.disks", "the profile asks for %u disk%s%s, and %zu of %zu match; %s%s", asked,
               asked == 1 ? "" : "s", parts, match->chosen_count, match->count, advice, table);
}

void rf_match_disks(const rf_profile *profile, const rf_machine *machine, struct rf_match *ret_match,
                    rf_problems *problems)
{
    struct rf_match match = {0};
    make_rows(profile, machine, &match);
    for (size_t i = 0; i < match.count; i++)
        if (!match.rows[i].reason)
            *(const struct rf_disk **)rf_array_add(&match.chosen, &match.chosen_count, sizeof(*match.chosen)) =
                match.rows[i].disk;
    if (match.chosen_count != rf_profile_disks(profile)) {
        report_number(profile, &match, problems);
        match.chosen_count = 0;
    } else if (twins(&match, problems)) {
        match.chosen_count = 0;
    }
    *ret_match = match;
}

void rf_match_clear(struct rf_match *match)
{
    for (size_t i = 0; i < match->count; i++)
        free(match->rows[i].reason);
    free(match->rows);
    free(match->chosen);
    *match = (struct rf_match){0};
}
