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
 * puts a blank disk into an empty place, spare/data adds one that stands by, grow/data makes the array larger. Where that gives room
 * (or gave it: a reshape takes hours and goes on by itself), grow/group, grow/volume and grow/filesystem pass it on; on a node they are
 * of phase node, because they need no reboot. */
void rf_raid_steps(const rf_layout *layout, const rf_machine *machine, rf_plan *plan);
