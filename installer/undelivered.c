/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/undelivered.h"

#include "base/memory.h"
#include "base/report_queue.h"

json_t *rf_undelivered_json(const char *spool)
{
    rf_autofree char *since = NULL;
    size_t count = rf_report_spool_count(spool, &since);
    return json_pack("{s:I,s:s?}", "undelivered", (json_int_t)count, "since", since);
}

char *rf_undelivered_text(const json_t *report)
{
    long long count = (long long)rf_json_integer(report, "undelivered", 0);
    const char *since = rf_json_string(report, "since");
    if (count == 0)
        return rf_strdup("");
    return rf_format("report.url: %lld event%s not delivered%s%s\n", count, count == 1 ? "" : "s",
                     since ? " since " : "", since ? since : "");
}
