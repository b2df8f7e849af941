/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node's part of the plan (RF_PHASE_NODE): accounts and keys first, so that people get in whatever fails later; then the
 * packet filter, the network and the pool; then each guest: disk, secret, seed, domain, start, health, handover, settle.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Appends the node's steps to `plan`. Pure but for reading the recipes: it connects to nothing. `facts` is what rf_node_facts
 * recorded on this node, or NULL where there is no node yet (then everything is still to do). `recipes_dir` NULL:
 * rf_recipes_dir(). *ret_model owns the steps' arguments: free it after the plan by rf_node_model_free; the profile must
 * outlive it. -1 with RF_BAD_PROFILE where the profile has problems (all are added). */
int rf_node_plan(const rf_profile *profile, const json_t *facts, const char *recipes_dir, rf_plan *plan,
                 struct rf_node_model **ret_model, rf_problems *problems, rf_error **err);

/* The same for a model that was made before (tests, other roots). */
void rf_node_plan_add(const rf_node_model *model, const json_t *facts, rf_plan *plan);
