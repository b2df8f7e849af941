/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The planner's part for arrays: what is there of each, what that makes of its step, and what can't be. Only raid/plan*.c include this. */
#pragma once

#include "base/step.h"
#include "raid/layout.h"

/* An array as the machine's description shows it. */
struct rf_array_view {
    size_t ours;                /* partitions of the layout that carry its superblock, spares included */
    bool blank[RF_MEMBERS_MAX]; /* by the layout's order: that do not */
    bool out[RF_MEMBERS_MAX];   /* that do, while the array runs without them */
    size_t outs;
    bool committed;      /* a disk of the node boots: there was a finished installation */
    unsigned raid_disks; /* members that it is made for now; the layout's number where nobody tells; 0: there is none */
    const char *level, *layout; /* the superblock's words, borrowed; NULL: unknown */
};

/* Asks the description only; borrows from it. Pure. */
struct rf_array_view rf_array_view(const struct rf_layout_array *array, const rf_machine *machine);

/* Nothing is left to do for it. */
bool rf_array_is_done(const struct rf_layout_array *array, const struct rf_array_view *view);

/* Level, layout or number of members of an array that is there can't become what the profile says: one problem each, at its key. */
void rf_array_problems(const rf_layout *layout, const rf_machine *machine, rf_problems *problems);

/* What becomes of the layout's disk number `index` in the array, in the words of plan and events: "replace", "spare", "grow", "readd", or
 * "array" where it is made or completed; NULL: nothing, it is where it belongs. Pure. */
const char *rf_array_word(const struct rf_layout_array *array, const struct rf_array_view *view, size_t index);

/* Adds its step: array/NAME where it is made, completed or assembled, replace/NAME, spare/NAME or grow/NAME where a finished
 * installation gets a new member, a further spare, or more members, readd/NAME where a member comes back that was out. */
struct rf_step *rf_array_step(const rf_layout *layout, const struct rf_layout_array *array, const rf_machine *machine,
                              rf_plan *plan);

/* The recorded partition behind "/dev/disk/by-partuuid/UUID"; NULL where there is none. Borrowed, like the next. */
const struct rf_partition *rf_recorded_partition(const rf_machine *machine, const char *device);

/* The mapping of a logical volume; NULL where it is not there or not active. */
const struct rf_volume *rf_recorded_volume(const rf_machine *machine, const struct rf_layout_volume *volume);

/* The running array; NULL where it does not run. */
const struct rf_volume *rf_recorded_array(const rf_machine *machine, const struct rf_layout_array *array);
