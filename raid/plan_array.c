/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/plan_array.h"

#include "base/memory.h"
#include "base/units.h"
#include "raid/inventory.h"
#include "raid/level.h"
#include "raid/steps.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct rf_partition *find_partition(const rf_machine *machine, const char *device,
                                                 const struct rf_disk **ret_disk)
{
    const char *uuid = strrchr(device, '/') + 1;
    for (size_t i = 0; i < machine->disks_count; i++)
        for (size_t j = 0; j < machine->disks[i].partitions_count; j++) {
            const struct rf_partition *part = &machine->disks[i].partitions[j];
            *ret_disk = &machine->disks[i];
            if (part->uuid && strcasecmp(part->uuid, uuid) == 0)
                return part;
        }
    return NULL;
}

const struct rf_partition *rf_recorded_partition(const rf_machine *machine, const char *device)
{
    const struct rf_disk *disk;
    return find_partition(machine, device, &disk);
}

const struct rf_volume *rf_recorded_array(const rf_machine *machine, const struct rf_layout_array *array)
{
    for (size_t i = 0; i < machine->volumes_count; i++)
        if (machine->volumes[i].uuid && strcasecmp(machine->volumes[i].uuid, array->uuid) == 0)
            return &machine->volumes[i];
    return NULL;
}

const struct rf_volume *rf_recorded_volume(const rf_machine *machine, const struct rf_layout_volume *volume)
{
    rf_autofree char *map = rf_format("%s-%s", volume->group, volume->name);
    for (size_t i = 0; i < machine->volumes_count; i++)
        if (machine->volumes[i].map && strcmp(machine->volumes[i].map, map) == 0)
            return &machine->volumes[i];
    return NULL;
}

/* The array's superblock on one of its partitions, or NULL. */
static const struct rf_signature *superblock(const struct rf_layout_array *array, size_t index,
                                             const rf_machine *machine)
{
    const struct rf_partition *part = rf_recorded_partition(machine, array->members[index]);
    const struct rf_signature *found =
        part ? rf_signature_find(part->signatures, part->signatures_count, "linux_raid_member") : NULL;
    return found && found->uuid && strcasecmp(found->uuid, array->uuid) == 0 ? found : NULL;
}

/* "sda3 sdb3" has "sda3", and not "sda". */
static bool has_word(const char *words, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* Does the array run, and without this partition of its own? Where the description does not tell what it runs on, nothing is out. */
static bool is_out(const struct rf_layout_array *array, size_t index, const rf_machine *machine)
{
    const struct rf_volume *running = rf_recorded_array(machine, array);
    const struct rf_disk *disk;
    const struct rf_partition *part = find_partition(machine, array->members[index], &disk);
    if (!running || !running->size || !running->on || !part)
        return false;
    const size_t length = strlen(disk->name);
    const char *between = length && isdigit((unsigned char)disk->name[length - 1]) ? "p" : ""; /* nvme0n1p3 */
    rf_autofree char *name = rf_format("%s%s%u", disk->name, between, part->number);
    return !has_word(running->on, name);
}

/* A member that was out while the array grew still says the old number: the largest is the last. */
static void take(struct rf_array_view *view, const struct rf_signature *found)
{
    view->ours++;
    if (found->members < view->raid_disks)
        return;
    view->raid_disks = found->members;
    view->level = found->level ? found->level : view->level;
    view->layout = found->layout ? found->layout : view->layout;
}

struct rf_array_view rf_array_view(const struct rf_layout_array *array, const rf_machine *machine)
{
    struct rf_array_view view = {0};
    for (size_t i = 0; i < array->members_count && i < RF_MEMBERS_MAX; i++) {
        const struct rf_signature *found = superblock(array, i, machine);
        view.committed |= array->committed[i];
        view.blank[i] = !found;
        view.out[i] = found && is_out(array, i, machine);
        view.outs += view.out[i];
        if (found)
            take(&view, found);
    }
    if (view.ours && !view.raid_disks)
        view.raid_disks = array->raid_disks;
    return view;
}

bool rf_array_is_done(const struct rf_layout_array *array, const struct rf_array_view *view)
{
    return view->ours == array->members_count && view->raid_disks == array->raid_disks && view->outs == 0;
}

static bool grows(const struct rf_layout_array *array, const struct rf_array_view *view)
{
    return view->ours && view->raid_disks < array->raid_disks;
}

/* An interrupted installation holds nothing yet, but is not thrown away either: whoever wrote another profile is told how. */
static const char *begin_anew(const struct rf_array_view *view)
{
    return view->committed ? ""
                           : ", or begin anew: no installation of this node was finished, so its disks may be emptied "
                             "(`wipefs --all` each partition and then the disk)";
}

static bool check_kind(const struct rf_layout_array *array, const struct rf_array_view *view, rf_problems *problems)
{
    const struct rf_level_row *row = rf_level_row(array->level);
    const char *copies = array->level == RF_LEVEL_RAID10 ? rf_copies_name(array->copies) : NULL;
    if (view->level && strcmp(view->level, row->kernel) != 0)
        rf_problem(problems, "storage.level",
                   "array %s of this node is %s, and the profile asks for %s: an array stays at its level; write that "
                   "one%s",
                   array->name, view->level, rf_level_name(array->level), begin_anew(view));
    else if (view->layout && copies && strcmp(view->layout, copies) != 0)
        rf_problem(
            problems, "storage.layout",
            "array %s of this node has layout %s, and the profile asks for %s: it stays as it is; write `layout: "
            "%s`%s",
            array->name, view->layout, copies, *view->layout == 'f' ? "far" : "near", begin_anew(view));
    else
        return true;
    return false;
}

static bool check_growth(const struct rf_layout_array *array, const struct rf_array_view *view, rf_problems *problems)
{
    unsigned now = view->raid_disks, asked = array->raid_disks;
    if (view->ours < now)
        rf_problem(
            problems, "storage.disks.count",
            "array %s has %zu of its %u members, and grows to %u only when it is whole; write `count: %u` and give "
            "it a disk first",
            array->name, view->ours, now, asked, now);
    else if (rf_array_missing(array))
        rf_problem(problems, "storage.missing",
                   "array %s has %u members, and grows to %u only when all disks are there; leave it out", array->name,
                   now, asked);
    else if (array->level == RF_LEVEL_RAID10 && array->copies == RF_COPIES_FAR)
        rf_problem(problems, "storage.disks.count", "array %s can't grow: its layout is `far`; write `count: %u`",
                   array->name, now);
    else
        return true;
    return false;
}

static bool check_array(const struct rf_layout_array *array, const rf_machine *machine, rf_problems *problems)
{
    struct rf_array_view view = rf_array_view(array, machine);
    if (view.ours == 0)
        return true;
    if (!check_kind(array, &view, problems))
        return false;
    if (view.raid_disks > array->raid_disks) {
        rf_problem(
            problems, "storage.disks.count",
            "array %s has %u members, and the profile asks for %u: members are not taken away; write `count: %u`",
            array->name, view.raid_disks, array->raid_disks, view.raid_disks);
        return false;
    }
    return !grows(array, &view) || check_growth(array, &view, problems);
}

/* The data first: what is wrong with both arrays is said once. */
void rf_array_problems(const rf_layout *layout, const rf_machine *machine, rf_problems *problems)
{
    if (check_array(&layout->data, machine, problems))
        check_array(&layout->system, machine, problems);
}

/* "1, 3": the numbers of the disks that `which` tells, `skip` of them left out, at most `most`. The caller frees it. */
static char *numbers(const rf_layout *layout, const bool which[], size_t skip, size_t most)
{
    char *text = NULL;
    for (size_t i = 0; i < layout->disks_count && most; i++) {
        if (!which[i] || (skip && skip--))
            continue;
        rf_append(&text, "%s%u", text ? ", " : "", layout->disks[i].member);
        most--;
    }
    return text ? text : rf_strdup("none");
}

static char *create_title(const struct rf_layout_array *array, const char *size)
{
    unsigned all = array->raid_disks, spares = rf_array_spares(array), missing = rf_array_missing(array);
    char *title = rf_format("Create array %s: %s over %u member%s of %s", array->name,
                            rf_level_row(array->level)->title, all, all == 1 ? "" : "s", size);
    if (array->level == RF_LEVEL_RAID10 && array->copies == RF_COPIES_FAR)
        rf_append(&title, ", far copies");
    if (spares)
        rf_append(&title, ", %u spare%s", spares, spares == 1 ? "" : "s");
    if (missing)
        rf_append(&title, ", %u missing on purpose", missing);
    return title;
}

/* How many blank disks take the place of a member that is gone. */
static size_t empty_places(const struct rf_layout_array *array, const struct rf_array_view *view)
{
    size_t blank = array->members_count - view->ours, empty = array->raid_disks - view->ours;
    return view->ours >= array->raid_disks ? 0 : empty < blank ? empty : blank;
}

const char *rf_array_word(const struct rf_layout_array *array, const struct rf_array_view *view, size_t index)
{
    size_t before = 0; /* blank ones */
    for (size_t i = 0; i < index; i++)
        before += view->blank[i];
    if (view->out[index])
        return "readd";
    if (!view->blank[index])
        return NULL;
    if (view->ours == 0 || (!view->committed && !grows(array, view)))
        return "array";
    if (grows(array, view))
        return "grow";
    return before < empty_places(array, view) ? "replace" : "spare";
}

/* Blank disks fill empty places first, then the places that growing makes, and what is left are spares. */
static char *change_title(const rf_layout *layout, const struct rf_layout_array *array,
                          const struct rf_array_view *view, const char *size, const char **ret_word)
{
    size_t blank = array->members_count - view->ours, places = empty_places(array, view);
    char *title = NULL;
    rf_autofree char *first = numbers(layout, view->blank, 0, places);
    rf_autofree char *rest = numbers(layout, view->blank, places, blank);
    *ret_word = grows(array, view) ? "grow" : places ? "replace" : "spare";
    if (grows(array, view))
        rf_append(&title, "Grow array %s from %u to %u members of %s", array->name, view->raid_disks, array->raid_disks,
                  size);
    else if (places)
        rf_append(&title, "Replace member%s %s of array %s: %s from the others", places == 1 ? "" : "s", first,
                  array->name, size);
    if (blank > places)
        rf_append(&title, "%s array %s: disk%s %s", title ? "; add spare to" : "Add spare to", array->name,
                  blank - places == 1 ? "" : "s", rest);
    return title;
}

/* Its superblock and the bitmap tell what it has missed: less than a blank one would need. */
static void append_readd(const rf_layout *layout, const struct rf_layout_array *array, const struct rf_array_view *view,
                         char **title)
{
    rf_autofree char *which = numbers(layout, view->out, 0, view->outs);
    rf_append(title, "%s member%s %s to array %s: %s copied from the others", *title ? "; re-add" : "Re-add",
              view->outs == 1 ? "" : "s", which, array->name,
              view->outs == 1 ? "what it has missed is" : "what they have missed is");
}

/* `ret_word` begins the step's id. */
static char *array_title(const rf_layout *layout, const struct rf_layout_array *array, const struct rf_array_view *view,
                         const char **ret_word)
{
    rf_autofree char *size = rf_size_text_binary(array->size);
    size_t all = array->members_count;
    *ret_word = "array";
    if (view->ours == 0)
        return create_title(array, size);
    if (rf_array_is_done(array, view))
        return rf_format("Assemble array %s: all %zu members of %s", array->name, all, size);
    const bool changes = view->ours < all || grows(array, view);
    char *title = NULL;
    *ret_word = "readd";
    if (changes && (view->committed || grows(array, view)))
        title = change_title(layout, array, view, size, ret_word);
    if (view->outs && (title || !changes))
        append_readd(layout, array, view, &title);
    if (title)
        return title;
    *ret_word = "array";
    return rf_format("Complete array %s: %zu of %zu members of %s are missing", array->name, all - view->ours, all,
                     size);
}

struct rf_step *rf_array_step(const rf_layout *layout, const struct rf_layout_array *array, const rf_machine *machine,
                              rf_plan *plan)
{
    struct rf_array_view view = rf_array_view(array, machine);
    const char *word;
    rf_autofree char *title = array_title(layout, array, &view, &word);
    rf_autofree char *id = rf_format("%s/%s", word, array->name);
    struct rf_step *step = rf_plan_add(plan, &rf_step_array, array, RF_PHASE_INSTALL, id, "%s", title);
    step->done = rf_array_is_done(array, &view);
    return step;
}
