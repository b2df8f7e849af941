/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/plan_grow.h"

#include "raid/inventory.h"
#include "raid/level.h"
#include "raid/plan_array.h"
#include "raid/steps.h"

/* Two roundings lie between an array and its file system: LVM's extents, and XFS's groups, of which the last may be too short to be
 * one. What is missing for other reasons is more than this. */
enum { WORTH_PERCENT = 1 };

/* On a node these run beside the guests, whose lanes begin at 1 and whose network's begin at 89999 (postinstall/node.h): a lane of their
 * own, so that nobody's failure ends anybody else's. */
enum { LANE_ON_NODE = 80000 };

static bool clearly_less(uint64_t has, uint64_t could)
{
    return has < could - could / 100 * WORTH_PERCENT;
}

static bool array_gains(const struct rf_layout_array *array, const rf_machine *machine)
{
    struct rf_array_view view = rf_array_view(array, machine);
    return view.ours && view.raid_disks < array->raid_disks && rf_level_row(array->level)->striped;
}

/* What a reshape that has ended, or a run that was cut short, has left to do. A description without a size is not asked. */
static bool room_is_unused(const rf_layout *layout, const rf_machine *machine)
{
    const struct rf_volume *array = rf_recorded_array(machine, &layout->data);
    const struct rf_volume *volume = rf_recorded_volume(machine, &layout->images);
    if (!array || !volume)
        return false;
    const struct rf_signature *xfs = rf_signature_find(volume->signatures, volume->signatures_count, "xfs");
    return clearly_less(volume->size, array->size / 100 * RF_LAYOUT_IMAGES_PERCENT) ||
           (xfs && xfs->size && clearly_less(xfs->size, volume->size));
}

void rf_grow_steps(const rf_layout *layout, const rf_machine *machine, unsigned lane, rf_plan *plan)
{
    static const struct {
        const struct rf_step_ops *ops;
        const char *id, *title;
    } rows[] = {
        {&rf_step_grow_group, "grow/group", "Grow the volume group onto the larger array data"},
        {&rf_step_grow_volume, "grow/volume", "Grow volume images to its share of the group"},
        {&rf_step_grow_filesystem, "grow/filesystem", "Grow file system images to its volume"},
    };
    bool node = machine->environment == RF_ENV_NODE;
    const struct rf_layout_filesystem *images = rf_layout_filesystem(layout, "images");
    if (!room_is_unused(layout, machine) && (node || !array_gains(&layout->data, machine)))
        return;
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        const void *arg = rows[i].ops == &rf_step_grow_filesystem ? (const void *)images : &layout->images;
        struct rf_step *step = rf_plan_add(plan, rows[i].ops, arg, node ? RF_PHASE_NODE : RF_PHASE_INSTALL, rows[i].id,
                                           "%s", rows[i].title);
        step->lane = node ? LANE_ON_NODE : lane;
        step->independent = node; /* guests start all the same */
    }
}
