/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/plan.h"

#include "base/memory.h"
#include "base/units.h"
#include "raid/consent.h"
#include "raid/filesystem.h"
#include "raid/fit.h"
#include "raid/foreign.h"
#include "raid/inventory.h"
#include "raid/level.h"
#include "raid/plan_array.h"
#include "raid/plan_grow.h"

#include <string.h>
#include <strings.h>

const struct rf_disk *rf_raid_recorded(const struct rf_layout_disk *layout, const rf_machine *machine)
{
    const struct rf_disk wanted = {.serial = layout->serial, .wwn = layout->wwn, .by_path = layout->by_path};
    for (size_t i = 0; i < machine->disks_count; i++)
        if (rf_disk_order(&wanted, &machine->disks[i]) == 0)
            return &machine->disks[i];
    return NULL;
}

static bool partitioned(const struct rf_layout_disk *layout, const rf_machine *machine)
{
    const struct rf_disk *disk = rf_raid_recorded(layout, machine);
    return disk && rf_layout_disk_done(layout, disk);
}

/* An interrupted run leaves unfinished tables, a finished installation does not. */
static void check_tables(const rf_layout *layout, const rf_machine *machine, rf_problems *problems)
{
    for (size_t i = 0; layout && i < layout->disks_count; i++) {
        const struct rf_layout_disk *disk = &layout->disks[i];
        if (!disk->committed || partitioned(disk, machine))
            continue;
        rf_problem(
            problems, "storage.disks",
            "disk %s is disk %u of node %s and boots it, but its partitions are not those that this node has: it "
            "holds the node's data and is not written; bring its table back from a rescue system, or, if nobody "
            "needs the data, empty this node's disks there (`wipefs --all` each partition and then the disk)",
            disk->name, disk->member, disk->node_id);
    }
}

int rf_raid_plan(const rf_profile *profile, const rf_machine *machine, rf_layout **ret_layout, rf_problems *problems,
                 rf_error **err)
{
    if (!profile->node.id || !*profile->node.id)
        return rf_fail(err, RF_BAD_PROFILE, "node.id: is missing; every name on the disks derives from it");
    size_t before = problems->count;
    rf_automatch struct rf_match match = {0};
    rf_match_disks(profile, machine, &match, problems);
    rf_fit_check(profile, machine, &match, problems);
    rf_foreign_check(profile, machine, &match, problems);
    rf_autolayout rf_layout *layout = rf_layout_new(profile, &match, problems);
    rf_consent_check(profile, machine, &match, layout, problems);
    check_tables(layout, machine, problems);
    if (layout)
        rf_array_problems(layout, machine, problems);
    *ret_layout = problems->count == before ? RF_STEAL(layout) : NULL;
    return 0;
}

static bool filesystem_done(const rf_layout *layout, const struct rf_layout_filesystem *filesystem,
                            const rf_machine *machine)
{
    const struct rf_partition *part = rf_recorded_partition(machine, filesystem->device);
    const struct rf_volume *volume = NULL;
    if (strcmp(filesystem->device, layout->system.device) == 0)
        volume = rf_recorded_array(machine, &layout->system);
    else if (strcmp(filesystem->device, layout->images.device) == 0)
        volume = rf_recorded_volume(machine, &layout->images);
    bool complete = false;
    if (part)
        return rf_filesystem_ours(filesystem, part->signatures, part->signatures_count, &complete) && complete;
    return volume && rf_filesystem_ours(filesystem, volume->signatures, volume->signatures_count, &complete) &&
           complete;
}

/* What does not wait for each other runs side by side: first the disks' tables, then the system's chain, the data's chain and
 * the ESPs. */
enum { LANE_SYSTEM = 1, LANE_DATA, LANE_ESP };

/* What mixed sizes cost: the smallest disk decides for all. */
static void append_unused(const struct rf_layout_disk *disk, char **title)
{
    if (disk->unused < RF_LAYOUT_WORTH_SAYING)
        return;
    rf_autofree char *size = rf_size_text(disk->unused);
    rf_append(title, " (%s of it stay unused: another disk is smaller)", size);
}

static void add_partition(const struct rf_layout_disk *disk, const rf_machine *machine, rf_plan *plan)
{
    const struct rf_disk view = {.serial = disk->serial, .wwn = disk->wwn, .by_path = disk->by_path};
    rf_autofree char *id = rf_format("partition/%u", disk->member);
    rf_autofree char *label = rf_disk_label(&view);
    rf_autofree char *size = rf_size_text(disk->size);
    struct rf_step *step =
        rf_plan_add(plan, &rf_step_partition, disk, RF_PHASE_INSTALL, id, "Partition disk %u: %s, %s%s%s", disk->member,
                    label, size, disk->model ? ", " : "", disk->model ? disk->model : "");
    append_unused(disk, &step->title);
    const struct rf_disk *is = rf_raid_recorded(disk, machine);
    step->lane = disk->member;
    step->done = partitioned(disk, machine);
    if (!step->done && is && is->table_uuid && !disk->consent) /* any other table is foreign, and cleared before */
        step->destroys = rf_strdup("the unfinished partition table of an earlier run");
}

static void add_array(const rf_layout *layout, const struct rf_layout_array *array, unsigned lane,
                      const rf_machine *machine, rf_plan *plan)
{
    struct rf_step *step = rf_array_step(layout, array, machine, plan);
    step->lane = lane;
    step->barrier = lane == LANE_SYSTEM;
}

static void add_volume(const struct rf_layout_volume *volume, const rf_machine *machine, rf_plan *plan)
{
    struct rf_step *step = rf_plan_add(plan, &rf_step_volume, volume, RF_PHASE_INSTALL, "volume/images",
                                       "Create volume group %s on array data, and in it %s (%d %% of the room)",
                                       volume->group, volume->name, RF_LAYOUT_IMAGES_PERCENT);
    step->lane = LANE_DATA;
    step->done = rf_recorded_volume(machine, volume) != NULL;
}

static void add_filesystem(const rf_layout *layout, size_t index, const rf_machine *machine, rf_plan *plan)
{
    const struct rf_layout_filesystem *filesystem = &layout->filesystems[index];
    rf_autofree char *id = rf_format("filesystem/%s", filesystem->id);
    struct rf_step *step = rf_plan_add(plan, &rf_step_filesystem, filesystem, RF_PHASE_INSTALL, id,
                                       "Make file system %s (%s)", filesystem->id, filesystem->type);
    if (strcmp(filesystem->device, layout->system.device) == 0)
        step->lane = LANE_SYSTEM;
    else if (strcmp(filesystem->device, layout->images.device) == 0)
        step->lane = LANE_DATA;
    else
        step->lane = LANE_ESP + (unsigned)index;
    step->done = filesystem_done(layout, filesystem, machine);
}

void rf_raid_steps(const rf_layout *layout, const rf_machine *machine, rf_plan *plan)
{
    rf_clear_steps(layout, plan);
    for (size_t i = 0; i < layout->disks_count; i++)
        add_partition(&layout->disks[i], machine, plan);
    add_array(layout, &layout->system, LANE_SYSTEM, machine, plan);
    add_array(layout, &layout->data, LANE_DATA, machine, plan);
    add_volume(&layout->images, machine, plan);
    for (size_t i = 0; i < layout->filesystems_count; i++)
        add_filesystem(layout, i, machine, plan);
    rf_grow_steps(layout, machine, LANE_DATA, plan);
}

/* The data's word counts: the system is mirrored on all members, so it has the same, unless a run was cut off between the two. */
const char *rf_raid_word(const rf_layout *layout, size_t index, const rf_machine *machine)
{
    const struct rf_array_view data = rf_array_view(&layout->data, machine);
    const struct rf_array_view system = rf_array_view(&layout->system, machine);
    const char *word = rf_array_word(&layout->data, &data, index);
    return word ? word : rf_array_word(&layout->system, &system, index);
}

bool rf_raid_takes_disks(const struct rf_layout_array *array, const rf_machine *machine)
{
    const struct rf_array_view view = rf_array_view(array, machine);
    for (size_t i = 0; i < array->members_count && i < RF_MEMBERS_MAX; i++)
        if (view.blank[i] && array->committed[i])
            return false;
    return view.ours && view.committed && !rf_array_is_done(array, &view);
}
