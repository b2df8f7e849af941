/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/join.h"

#include "base/memory.h"
#include "installer/deploy.h"
#include "raid/consent.h"
#include "raid/filesystem.h"
#include "raid/plan.h"
#include "raid/steps.h"

#include <string.h>

/* The guests' lanes begin at 1, their network's at 89999 (postinstall/node.h), those of a larger array's room at 80000 (raid/plan_grow.c). One lane
 * for all disks: the arrays come behind the partitions, the system's before the data's, because md fills them in the order in which
 * it gets them, and a disk that holds the system soon boots soon. */
enum { LANE_JOIN = 80001 };

#define COMMAND "`richtfest apply --node`"

static const struct rf_layout_disk *disk_of_consent(const void *arg)
{
    return rf_consent_disk(arg);
}

static const struct rf_layout_disk *disk_itself(const void *arg)
{
    return arg;
}

/* NULL for the file systems that the node lives on. */
static const struct rf_layout_disk *disk_of_esp(const void *arg)
{
    return ((const struct rf_layout_filesystem *)arg)->disk;
}

static const struct rf_layout_disk *disk_of_loaders(const void *arg)
{
    return ((const struct rf_deploy_disk *)arg)->disk;
}

/* The installer's steps that a running node takes over, and what they are there. `disk` says whose they are; without it: an array's. */
static const struct row {
    const struct rf_step_ops *install, *node;
    const struct rf_layout_disk *(*disk)(const void *arg);
} rows[] = {
    {&rf_step_clear, &rf_step_clear, disk_of_consent},
    {&rf_step_partition, &rf_step_partition, disk_itself},
    {&rf_step_array, &rf_step_join, NULL},
    {&rf_step_filesystem, &rf_step_filesystem, disk_of_esp},
    {&rf_step_bootable, &rf_step_bootable, disk_of_loaders},
};

static const struct row *row_of(const struct rf_step *step)
{
    for (size_t i = 0; i < RF_COUNT(rows); i++)
        if (rows[i].install == step->ops)
            return &rows[i];
    return NULL;
}

static bool has_table(const struct rf_layout_disk *disk, const rf_machine *machine)
{
    const struct rf_disk *is = rf_raid_recorded(disk, machine);
    return is && rf_layout_disk_done(disk, is);
}

static bool has_esp(const rf_layout *layout, const struct rf_layout_disk *disk, const rf_machine *machine)
{
    const struct rf_disk *is = rf_raid_recorded(disk, machine);
    rf_autofree char *id = rf_format("esp-%u", disk->member);
    const struct rf_layout_filesystem *esp = rf_layout_filesystem(layout, id);
    for (size_t i = 0; is && i < is->partitions_count; i++) {
        const struct rf_partition *part = &is->partitions[i];
        bool complete = false;
        if (part->number == disk->parts[RF_PART_ESP].number)
            return rf_filesystem_ours(esp, part->signatures, part->signatures_count, &complete) && complete;
    }
    return false;
}

/* Is there more to do with it than to write its boot loaders? Those alone finish an installation, and wait for nobody. A disk that boots and has lost
 * something is none that comes in. */
static bool comes_in(const rf_layout *layout, size_t index, const rf_machine *machine)
{
    const struct rf_layout_disk *disk = &layout->disks[index];
    const char *word = rf_raid_word(layout, index, machine);
    if (word && strcmp(word, "readd") == 0)
        return true;
    return !disk->committed && (word || !has_table(disk, machine) || !has_esp(layout, disk, machine));
}

void rf_join_check(const rf_layout *layout, const rf_machine *machine, rf_problems *problems)
{
    for (size_t i = 0; machine->environment == RF_ENV_NODE && i < layout->disks_count; i++) {
        const struct rf_layout_disk *disk = &layout->disks[i];
        const struct rf_disk *is = rf_raid_recorded(disk, machine);
        if (!is || !is->in_use || !rf_disk_member(layout->node_id, is) || has_table(disk, machine))
            continue;
        rf_problem(problems, "storage.disks",
                   "disk %s is disk %u of this node and in use (%s), but its partitions are not those that this node "
                   "has; no table is written under what runs. Take it out, or let the installer bring it in",
                   is->name, disk->member, is->in_use);
    }
}

static const char *state_of(const struct rf_layout_disk *disk, const rf_machine *machine)
{
    if (disk->consent)
        return "holds what the profile consents to wipe";
    return has_table(disk, machine) ? "is begun" : "is blank";
}

/* "disk vdc (serial X) is blank and can take member 1's place (replace): … brings it in". The caller frees it. */
static char *sentence(const struct rf_layout_disk *disk, const rf_machine *machine, const char *word)
{
    static const struct {
        const char *word, *format;
    } uses[] = {
        {"replace", " and can take member %u's place (replace)"},
        {"spare", " and can stand by as disk %u (add spare)"},
        {"grow", ", and the arrays can grow onto it as disk %u (grow)"},
    };
    const struct rf_disk view = {.serial = disk->serial, .wwn = disk->wwn, .by_path = disk->by_path};
    rf_autofree char *label = rf_disk_label(&view);
    if (strcmp(word, "readd") == 0)
        return rf_format("disk %s (%s) is disk %u of this node and was out: " COMMAND " takes it back (re-add)",
                         disk->name, label, disk->member);
    char *text = rf_format("disk %s (%s) %s", disk->name, label, state_of(disk, machine));
    for (size_t i = 0; i < RF_COUNT(uses); i++)
        if (strcmp(uses[i].word, word) == 0)
            rf_append(&text, uses[i].format, disk->member);
    rf_append(&text, ": " COMMAND " brings it in");
    return text;
}

json_t *rf_join_json(const rf_layout *layout, const rf_machine *machine)
{
    json_t *list = json_array();
    for (size_t i = 0; machine->environment == RF_ENV_NODE && i < layout->disks_count; i++) {
        const struct rf_layout_disk *disk = &layout->disks[i];
        if (!comes_in(layout, i, machine))
            continue;
        const char *found = rf_raid_word(layout, i, machine), *word = found ? found : "finish";
        rf_autofree char *text = sentence(disk, machine, word);
        const struct rf_disk view = {.serial = disk->serial, .wwn = disk->wwn, .by_path = disk->by_path};
        rf_autofree char *label = rf_disk_label(&view);
        json_array_append_new(list, json_pack("{s:I,s:s,s:s,s:s,s:s}", "member", (json_int_t)disk->member, "name",
                                              disk->name, "identity", label, "word", word, "text", text));
    }
    return list;
}

static size_t index_of(const rf_layout *layout, const struct rf_layout_disk *disk)
{
    return (size_t)(disk - layout->disks);
}

/* Does the rule take this step? */
static bool takes(const struct rf_step *step, const rf_layout *layout, const rf_machine *machine, bool waits)
{
    const struct row *row = row_of(step);
    if (!row || step->phase != RF_PHASE_INSTALL || step->done)
        return false;
    if (!row->disk)
        return !waits && rf_raid_takes_disks(step->arg, machine);
    const struct rf_layout_disk *disk = row->disk(step->arg);
    if (!disk || disk->committed)
        return false;
    return !waits || !comes_in(layout, index_of(layout, disk), machine);
}

/* Those are the node's own already (raid/plan_grow.c). In front of the guests, a failure of theirs would keep all of them down. */
static bool passes_room_on(const struct rf_step *step)
{
    return step->phase == RF_PHASE_NODE && (step->ops == &rf_step_grow_group || step->ops == &rf_step_grow_volume ||
                                            step->ops == &rf_step_grow_filesystem);
}

void rf_join_steps(const rf_layout *layout, const rf_machine *machine, bool waits, rf_plan *plan)
{
    if (machine->environment != RF_ENV_NODE)
        return;
    for (size_t i = 0, left = plan->count; left > 0; left--) {
        struct rf_step *step = &plan->steps[i];
        const bool taken = takes(step, layout, machine, waits);
        if (!taken && !passes_room_on(step)) {
            i++;
            continue;
        }
        if (taken) {
            step->ops = row_of(step)->node;
            step->phase = RF_PHASE_NODE;
            step->lane = LANE_JOIN;
            step->barrier = false;
            step->independent = true;
        }
        rf_plan_to_end(plan, i);
    }
}

json_t *rf_join_look(const rf_profile *profile, const rf_machine *machine)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autolayout rf_layout *layout = NULL;
    rf_autoerror rf_error *error = NULL;
    rf_profile view = *profile; /* borrowed; what the rest of the machine must have is no part of this question */
    memset(&view.requires, 0, sizeof(view.requires));
    if (rf_raid_plan(&view, machine, &layout, &problems, &error) < 0)
        return json_pack("{s:[],s:n}", "joining", "problems");
    if (layout)
        rf_join_check(layout, machine, &problems);
    rf_autofree char *text = problems.count ? rf_problems_text(&problems) : NULL;
    return json_pack("{s:o,s:s?}", "joining", layout && !text ? rf_join_json(layout, machine) : json_array(),
                     "problems", text);
}

char *rf_join_text(const json_t *look)
{
    const json_t *joining = json_object_get(look, "joining");
    const char *problems = rf_json_string(look, "problems");
    char *text = rf_strdup("");
    for (size_t i = 0; i < json_array_size(joining); i++)
        rf_append(&text, "%s\n", rf_json_string(json_array_get(joining, i), "text"));
    if (problems)
        rf_append(&text, "The disks do not fit the profile:\n%s", problems);
    return text;
}
