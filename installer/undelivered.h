/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What report.url has not got yet, for `richtfest status`. */
#pragma once

#include "base/json.h"

/* {"undelivered": 12, "since": TIME of the oldest, or null}, from a spool (base/report_queue.h); no spool: 0. Reads only. The caller
 * owns it. */
json_t *rf_undelivered_json(const char *spool);

/* The same as a line for people: "report.url: 12 events not delivered since 2026-11-21T02:30:00.123Z"; empty where there is nothing
 * to say. Pure; the caller frees it. */
char *rf_undelivered_text(const json_t *report);
