/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bringing a guest back to a snapshot, and with it what the node believes of it, and its clock. For a command, not for the plan. */
#pragma once

#include "postinstall/node.h"

/*
 * Back to the snapshot (`snapshot` NULL: the newest one), whose name goes to *ret_snapshot. What the node has told a guest that is in use since then
 * the guest no longer knows: it is forgotten here, so that the next apply tells it again; a member gets a new one-time password, and a directory's
 * members are enrolled anew. A running guest gets the time of this node by its agent, for which it waits up to `patience` seconds. *ret_words, lines for
 * people, says what is to be done yet; the caller frees both, which are NULL after a failure. A kill in the middle leaves a guest
 * that is told more than it needs. Repeatable.
 */
int rf_guest_rollback(const rf_node_model *model, const char *name, const char *snapshot, unsigned patience,
                      char **ret_snapshot, char **ret_words, rf_error **err);
