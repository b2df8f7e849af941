/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/consent.h"

#include "base/memory.h"
#include "base/units.h"
#include "raid/foreign.h"
#include "raid/holder.h"
#include "raid/steps.h"

#include <ctype.h>
#include <string.h>

struct rf_consent {
    const rf_layout *layout;           /* whose disks[] hold all consents of the profile */
    const struct rf_layout_disk *disk; /* in it */
    char *findings, *list;
};

static bool is_called(const struct rf_disk *disk, const char *name)
{
    if ((disk->serial && strcmp(disk->serial, name) == 0) || (disk->wwn && strcmp(disk->wwn, name) == 0))
        return true;
    return !disk->serial && !disk->wwn && disk->by_path && strcmp(disk->by_path, name) == 0;
}

bool rf_consent_given(const rf_profile *profile, const struct rf_disk *disk)
{
    for (size_t i = 0; i < profile->storage.foreign.wipe_count; i++)
        if (is_called(disk, profile->storage.foreign.wipe[i]))
            return true;
    return false;
}

static const char *name_of(const struct rf_disk *disk)
{
    if (disk->serial)
        return disk->serial;
    return disk->wwn ? disk->wwn : disk->by_path;
}

/* A YAML scalar; quoted where a plain one could mean something else (YAML 1.2, 7.3.3). */
static char *as_yaml(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (text[strspn(text, safe)] == '\0' &&
        isalpha((unsigned char)*text)) /* what begins with a digit may be a number */
        return rf_strdup(text);
    char *quoted = rf_strdup("\"");
    for (const char *at = text; *at; at++)
        rf_append(&quoted, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
    rf_append(&quoted, "\"");
    return quoted;
}

static bool is_foreign(const rf_profile *profile, const struct rf_disk *disk)
{
    rf_autofree char *findings = rf_foreign_findings(profile->node.id, disk, 0);
    return findings != NULL;
}

char *rf_consent_line(const rf_profile *profile, const struct rf_match *match)
{
    rf_autofree char *names = NULL;
    for (size_t i = 0; i < match->chosen_count; i++) {
        const struct rf_disk *disk = match->chosen[i];
        if (!is_foreign(profile, disk) && !rf_consent_given(profile, disk))
            continue;
        if (!name_of(disk))
            return NULL;
        rf_autofree char *name = as_yaml(name_of(disk));
        rf_append(&names, "%s%s", names ? ", " : "", name);
    }
    return names ? rf_format("foreign: {wipe: [%s]}", names) : NULL;
}

static bool is_chosen(const struct rf_match *match, const struct rf_disk *disk)
{
    for (size_t i = 0; i < match->chosen_count; i++)
        if (match->chosen[i] == disk)
            return true;
    return false;
}

static const char *reason_against(const struct rf_match *match, const struct rf_disk *disk)
{
    for (size_t i = 0; i < match->count; i++)
        if (match->rows[i].disk == disk)
            return match->rows[i].reason;
    return NULL;
}

static bool was_finished(const rf_profile *profile, const rf_machine *machine)
{
    for (size_t i = 0; i < machine->disks_count; i++)
        if (rf_disk_committed(profile->node.id, &machine->disks[i]))
            return true;
    return false;
}

static void report_absent(const rf_machine *machine, const char *name, rf_problems *problems)
{
    rf_autofree char *here = NULL;
    for (size_t i = 0; i < machine->disks_count; i++) {
        rf_autofree char *label = rf_disk_label(&machine->disks[i]);
        rf_append(&here, "%s%s (%s)", here ? ", " : "", machine->disks[i].name, label);
    }
    rf_problem(problems, "storage.foreign",
               "the consent names \"%s\", and no disk here has that serial number or WWN; here: %s. Correct it, or "
               "take it out",
               name, here ? here : "none");
}

static void check_name(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                       const char *name, rf_problems *problems)
{
    const struct rf_disk *found = NULL;
    for (size_t i = 0; i < machine->disks_count; i++) {
        if (!is_called(&machine->disks[i], name))
            continue;
        if (found)
            rf_problem(
                problems, "storage.foreign",
                "the consent names \"%s\", and both %s and %s are called that: disconnect one, or name them by WWN",
                name, found->name, machine->disks[i].name);
        found = &machine->disks[i];
    }
    bool spent = was_finished(profile, machine);
    const char *reason = found ? reason_against(match, found) : NULL;
    if (!found && !spent)
        report_absent(machine, name, problems);
    if (reason && !spent)
        rf_problem(problems, "storage.foreign",
                   "the consent names disk %s (%s), which is not chosen (%s) and so is not written: match it too, or "
                   "take it out",
                   found->name, name, reason);
}

/* The volume may be stopped where every disk under it is consented to, or where stopping it writes nothing. */
static void check_holder(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                         const struct rf_disk *disk, const struct rf_volume *volume, rf_problems *problems)
{
    rf_autofree char *text = rf_holder_text(volume);
    const char *refusal = rf_holder_kind(volume)->refusal;
    if (refusal) {
        rf_problem(problems, "storage.foreign", "on disk %s runs %s: %s", disk->name, text, refusal);
        return;
    }
    for (size_t i = 0; i < machine->disks_count && !rf_holder_is_silent(volume); i++) {
        const struct rf_disk *other = &machine->disks[i];
        bool consented = is_chosen(match, other) && rf_consent_given(profile, other);
        if (other == disk || consented || !rf_holder_touches(volume, other->name))
            continue;
        rf_autofree char *label = rf_disk_label(other);
        rf_problem(problems, "storage.foreign",
                   "on disk %s, which the consent names, runs %s; it also runs on disk %s (%s), which the consent does "
                   "not name, and "
                   "stopping it would write there. Consent to both, or stop it by hand, or disconnect disk %s",
                   disk->name, text, other->name, label, other->name);
    }
}

static char *list_of(const struct rf_disk *disk, const char *node_id, size_t count, const struct rf_volume **holders)
{
    struct rf_disk resting = *disk;
    resting.in_use = NULL;
    rf_autofree char *findings = rf_foreign_findings(node_id, &resting, 10);
    char *text = rf_strdup("all that lies on it");
    if (count)
        rf_append(&text, "\n        shut down first, in this order:");
    for (size_t i = 0; i < count; i++) {
        rf_autofree char *holder = rf_holder_text(holders[i]);
        rf_append(&text, "\n          %s", holder);
    }
    if (findings)
        rf_append(&text, "\n        wiped:%s", findings);
    return text;
}

char *rf_consent_fingerprint(const char *node_id, const struct rf_disk *disk)
{
    struct rf_disk resting = *disk;
    resting.in_use = NULL;
    return rf_foreign_findings(node_id, &resting, 4);
}

static void give(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                 const struct rf_disk *disk, rf_layout *layout, struct rf_layout_disk *to, rf_problems *problems)
{
    size_t count = 0;
    rf_autofree const struct rf_volume **holders = rf_holders_of(machine, disk->name, &count);
    for (size_t i = 0; i < count; i++)
        check_holder(profile, machine, match, disk, holders[i], problems);
    struct rf_consent *consent = rf_alloc(sizeof(*consent));
    consent->layout = layout;
    consent->disk = to;
    consent->findings = rf_consent_fingerprint(profile->node.id, disk);
    if (!consent->findings)
        consent->findings = rf_strdup("");
    consent->list = list_of(disk, profile->node.id, count, holders);
    to->consent = consent;
}

void rf_consent_check(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                      rf_layout *layout, rf_problems *problems)
{
    for (size_t i = 0; i < profile->storage.foreign.wipe_count; i++)
        check_name(profile, machine, match, profile->storage.foreign.wipe[i], problems);
    for (size_t i = 0; layout && i < match->chosen_count; i++) {
        const struct rf_disk *disk = match->chosen[i];
        for (size_t j = 0; j < layout->disks_count; j++)
            if (!layout->disks[j].consent && rf_layout_disk_is(&layout->disks[j], disk) &&
                rf_consent_given(profile, disk) && is_foreign(profile, disk))
                give(profile, machine, match, disk, layout, &layout->disks[j], problems);
    }
}

const struct rf_layout_disk *rf_consent_disk(const struct rf_consent *consent)
{
    return consent->disk;
}

const char *rf_consent_findings(const struct rf_consent *consent)
{
    return consent->findings;
}

const char *rf_consent_list(const struct rf_consent *consent)
{
    return consent->list;
}

bool rf_consent_covers(const struct rf_consent *consent, const struct rf_disk *disk)
{
    for (size_t i = 0; i < consent->layout->disks_count; i++)
        if (consent->layout->disks[i].consent && rf_layout_disk_is(&consent->layout->disks[i], disk))
            return true;
    return false;
}

void rf_consent_free(struct rf_consent *consent)
{
    if (!consent)
        return;
    free(consent->findings);
    free(consent->list);
    free(consent);
}

void rf_clear_steps(const rf_layout *layout, rf_plan *plan)
{
    for (size_t i = 0; i < layout->disks_count; i++) {
        const struct rf_layout_disk *disk = &layout->disks[i];
        if (!disk->consent)
            continue;
        const struct rf_disk view = {.serial = disk->serial, .wwn = disk->wwn, .by_path = disk->by_path};
        rf_autofree char *id = rf_format("clear/%u", disk->member);
        rf_autofree char *label = rf_disk_label(&view);
        rf_autofree char *size = rf_size_text(disk->size);
        struct rf_step *step =
            rf_plan_add(plan, &rf_step_clear, disk->consent, RF_PHASE_INSTALL, id, "Clear disk %u: %s, %s%s%s",
                        disk->member, label, size, disk->model ? ", " : "", disk->model ? disk->model : "");
        step->destroys = rf_strdup(disk->consent->list);
    }
}
