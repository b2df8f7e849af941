/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who changes the node's guests does so alone: `apply` and the guest commands that change something. Those that only look (list, console, export,
 * status) do not wait for a run, which may take an hour. */
#pragma once

#include "base/lock.h"

/* Takes the lock in `directory` (RF_RUN_DIR, made where it is absent: of this boot only, as every process is) as `what`, e.g. "richtfest guest
 * delete". Where another has it, who that is and what a person can do is said on standard error, then this blocks until that one
 * ends; Ctrl-C ends the waiting, and nothing was changed then. *ret_waited (may be NULL): read again what was read before. */
int rf_node_lock(const char *directory, const char *what, struct rf_lock *ret_lock, bool *ret_waited, rf_error **err);
