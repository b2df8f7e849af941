/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk that became larger is of no use before the guest has taken the space. At the first boot cloud-init does that; later cloud-init is
 * switched off, and the node asks for it through the guest agent.
 */
#pragma once

#include "base/step.h"
#include "postinstall/agent.h"
#include "postinstall/node.h"

/* Remembers that the guest has taken all of a disk of that size. */
int rf_grow_remember(const struct rf_node_guest *guest, uint64_t bytes, rf_error **err);

/* The disk is about to grow: whatever the guest took before, it has to take the space again. A guest that was brought back to a snapshot has
 * its former file system. Repeatable. */
int rf_grow_forget(const struct rf_node_guest *guest, rf_error **err);

/* Lets the guest take what its disk has, where that is more than it was the last time. Argument: rf_node_guest, one that has settled. What can't
 * be done (a guest with partitions of its own) is said, and is no failure: its work goes on as before. */
extern const struct rf_step_ops rf_step_grow;

/* The asking, with an agent of the caller's choice: 1 it has taken the space, 0 it can't, which *ret_words says (the caller frees it). */
int rf_grow_ask(rf_agent *agent, char **ret_words);
