/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Has a system that is not ours read its seed? Ours say so (probe cloud-init). One that was fetched may be healthy long before it looks for
 * its seed: its machine runs, its port 22 answers. A guest whose seed goes then, and that loses its power, never gets its address and admins.
 */
#pragma once

#include "base/step.h"
#include "postinstall/agent.h"
#include "postinstall/node.h"

/* Waits until a guest that was fetched has surely read it: cloud-init's last stage has ended, as its agent says, or it has run for five
 * minutes (longer where it is emulated) since the seed was written. 0 at once for every other guest, and for one that has settled. -1 and
 * RF_FAILED where it stops meanwhile: its seed and its definition are as they were. Blocks that long at most; repeatable. */
int rf_seed_read(struct rf_step_env *env, const struct rf_node_guest *guest, rf_error **err);

/* The same through an agent and in a time of the caller's, for any guest. */
int rf_seed_read_wait(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, unsigned seconds,
                      rf_error **err);
