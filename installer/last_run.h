/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the node's last run ended, for `richtfest status`: a guest that was never made has no probe that could tell why. */
#pragma once

#include "base/json.h"

#include <stdbool.h>

/* Of the last run in an event file that has come to its end: {"at": TIME, "state": "done" or "failed", "failures": [{"step", "title",
 * "message"}]}. A run that is under way, or was killed, has none: the one before it counts. NULL: no run has ended in the file's last
 * mebibyte (a run leaves some kibibytes), or there is no file. Reads only. The caller owns it. */
json_t *rf_last_run_json(const char *events);

/* Did it end well? NULL is well: nothing has failed. */
bool rf_last_run_well(const json_t *run);

/* What failed, for people, a line each, with the first line of its message; empty where it ended well. Pure; the caller frees it. */
char *rf_last_run_text(const json_t *run);
