/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the node's last run ended, for `richtfest status`: a guest that was never made has no probe that could tell why. It has a file of its
 * own: in the event file a former run's end is as far from the file's end as what other runs have written since.
 */
#pragma once

#include "base/event.h"
#include "base/json.h"

#include <stdbool.h>

/* Notes the steps that fail, and writes `path` (0600, atomically) when the run comes to its end, well or not. A run that is killed writes
 * nothing: the one before it counts. Where the file can't be written, it is removed and that is said on standard error. */
rf_sink *rf_sink_last_run(const char *path);

/* What that file says: {"at": TIME, "state": "done" or "failed", "failures": [{"step", "title", "message"}]}; a run that failed outside its
 * steps has one failure without a step. "state": "unknown" where the file is there and can't be read. NULL: there is none, no run has
 * ended yet. Reads only. The caller owns it. */
json_t *rf_last_run_json(const char *path);

/* Did it end well? NULL is well: nothing has failed. */
bool rf_last_run_well(const json_t *run);

/* What failed, for people, a line each, with the first line of its message; empty where it ended well. Pure; the caller frees it. */
char *rf_last_run_text(const json_t *run);
