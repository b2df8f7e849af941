/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The room's planner: what stands between a profile and a machine's disks. Pure. */
#pragma once

#include "base/step.h"
#include "raid/layout.h"

/* Fit, matching, foreign data and layout: everything that is wrong goes to `problems`, all at once. With none, *ret_layout is
 * the layout (the caller frees it, after the plan that was made from it); with at least one it is NULL, and nothing may be
 * written (RF_BAD_MACHINE). -1 and *err only for a profile that could not be planned at all (no node id). */
int rf_raid_plan(const rf_profile *profile, const rf_machine *machine, rf_layout **ret_layout, rf_problems *problems,
                 rf_error **err);

/* Adds the steps of phase install: clear/<member> for disks whose foreign data the profile consents to destroy, partition/<member>,
 * array/system, array/data, volume/images, filesystem/<id>. Each is marked done where the machine's description shows that it is. The steps borrow from the layout, which outlives the plan.
 *
 * Three things that may happen to an array of a finished installation have three words, as step id and in the title: replace/data
 * puts a blank disk into an empty place, spare/data adds one that stands by, grow/data makes the array larger; and readd/data takes a
 * member back that was out while the array ran. On a running node they become the node's own (installer/join.h). Where that gives room
 * (or gave it: a reshape takes hours and goes on by itself), grow/group, grow/volume and grow/filesystem pass it on; on a node they are
 * of phase node, because they need no reboot. */
void rf_raid_steps(const rf_layout *layout, const rf_machine *machine, rf_plan *plan);

/* What becomes of disk number `index` of the layout in this machine's arrays, in the words of plan and events: "replace", "spare", "grow",
 * "readd", or "array" where they are still to be made; NULL: nothing, it is where it belongs. Pure. */
const char *rf_raid_word(const rf_layout *layout, size_t index, const rf_machine *machine);

/* Is that array one of a finished installation which takes in disks (its step is one of those four words), and none of its members has
 * lost what it held? Pure. */
bool rf_raid_takes_disks(const struct rf_layout_array *array, const rf_machine *machine);

/* The disk of the layout as the machine has it, found by its identity; NULL where it has none. Borrowed. Pure. */
const struct rf_disk *rf_raid_recorded(const struct rf_layout_disk *disk, const rf_machine *machine);
