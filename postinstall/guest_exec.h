/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programs of a recipe that change something in a guest: 0 done, 1 not yet, 2 never; their last line says why. */
#pragma once

#include "base/step.h"
#include "postinstall/agent.h"
#include "postinstall/node.h"

/* Runs it through the guest's agent with `input` on standard input, and again while it says "not yet" (or the agent is away), for up to
 * `seconds` in all. What it says is told as progress of env's step. Neither argv nor what is told may hold a secret. */
int rf_guest_exec(struct rf_step_env *env, rf_agent *agent, const json_t *argv, const char *input, unsigned seconds,
                  rf_error **err);

/* The same time, longer where the node has no KVM and its guests are emulated. */
unsigned rf_guest_patience(const struct rf_node_guest *guest, unsigned seconds);
