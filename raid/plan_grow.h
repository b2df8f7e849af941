/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The planner's part for room that a larger data array has and the file system on it does not. Only raid/plan.c includes this. */
#pragma once

#include "base/step.h"
#include "raid/layout.h"

/* Adds grow/group, grow/volume and grow/filesystem where the data array grows, or has more room than is used; else nothing: a plan
 * for a machine that has no use for them does not name them. In the installer in lane `lane`, behind what is there. */
void rf_grow_steps(const rf_layout *layout, const rf_machine *machine, unsigned lane, rf_plan *plan);
