/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/clock.h"

#include "base/memory.h"
#include "base/units.h"
#include "image/medium.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* chronyd's own limit: four samples two seconds apart (`iburst`), the name, and as much again for a slow network. */
#define ASK_SECONDS "20"

enum { KILL_SECONDS = 30 };

/* When the medium was made; 0 where that can't be seen. */
static time_t made(const char *medium)
{
    rf_autofree char *path = rf_format("%s" RF_MEDIUM_MANIFEST_FILE, medium);
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mtime : 0;
}

bool rf_clock_is_impossible(const char *medium)
{
    return time(NULL) < made(medium);
}

/* The time that it would be without what was done since `before`. */
static void put_back(time_t before, double since)
{
    clock_settime(CLOCK_REALTIME, &(struct timespec){.tv_sec = before + (time_t)(rf_now() - since)});
}

static int ask(rf_runner *runner, rf_error **err)
{
    const struct rf_command command = {.argv = RF_ARGV("chronyd", "-q", "-t", ASK_SECONDS), .seconds = KILL_SECONDS};
    rf_autoresult struct rf_result result = {0};
    return rf_run(runner, &command, &result, err);
}

bool rf_clock_mend(struct rf_session *session, const char *medium, const char *why)
{
    rf_autoerror rf_error *error = NULL;
    const time_t before = time(NULL), oldest = made(medium);
    const double since = rf_now();
    rf_emit_message(session->events, RF_WAITING, "for time servers, up to " ASK_SECONDS " s, to set the clock: %s",
                    why);
    if (ask(session->runner, &error) < 0) {
        rf_autofree char *reason = rf_error_text(error);
        rf_emit_message(session->events, RF_WAITING, "no time server answered, so the clock stays as it is: %s",
                        reason);
        return false;
    }
    rf_autofree char *was = rf_date_text(before + (time_t)(rf_now() - since)), *is = rf_date_text(time(NULL));
    if (time(NULL) < oldest) {
        put_back(before, since);
        rf_emit_message(session->events, RF_WAITING,
                        "the time servers say %s, before this medium was made: not believed, the clock stays as it is",
                        is);
        return false;
    }
    rf_emit_message(session->events, RF_PROGRESS, "the clock was set by network time: from %s to %s", was, is);
    return true;
}
