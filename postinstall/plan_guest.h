/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's part of the plan. Only postinstall/plan.c and its test include this. */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Appends the guest's steps, in a lane of its own. A member of a directory waits for it: before its first boot until the directory is
 * healthy, later only until that is decided, because a member that works must come up again whatever its directory does. */
void rf_guest_plan_add(const struct rf_node_guest *guest, const json_t *facts, rf_plan *plan);

/* Appends a step for each guest that the profile no longer has. */
void rf_retired_plan_add(const rf_node_model *model, const json_t *facts, rf_plan *plan);
