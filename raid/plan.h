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

/* Adds the steps of phase install: clear/<member> for disks whose foreign data the profile consents to destroy, partition/<member>, array/system, array/data, volume/images, filesystem/<id>. Each is
 * marked done where the machine's description shows that it is. The steps borrow from the layout, which outlives the plan. */
void rf_raid_steps(const rf_layout *layout, const rf_machine *machine, rf_plan *plan);
