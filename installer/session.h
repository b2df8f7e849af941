/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of the engine: who executes, who is told, and how it ends. */
#pragma once

#include "base/step.h"
#include "profiles/profile.h"

struct rf_session {
    rf_runner *runner;
    rf_events *events;
    double started;
    bool
        unfit; /* the run goes on without what this node's disks, or its size, do not allow, or what waits for a person: it was said */
};

enum rf_audience {
    RF_AUDIENCE_TERMINAL, /* the person who typed the command */
    RF_AUDIENCE_CONSOLES, /* screen and serial line of a machine that nobody sits at */
    RF_AUDIENCE_JSON,     /* a program that reads standard output */
};

/* Opens the sinks: the audience, the journal, and `event_file` (JSON lines, or NULL). Test faults come from the environment:
 * RICHTFEST_FAIL_COMMAND=N (that command fails), RICHTFEST_KILL_COMMAND=N, RICHTFEST_RECORD=FILE. */
void rf_session_open(struct rf_session *session, enum rf_audience audience, const char *event_file,
                     const char *machine);

/* From here on events go to the profile's report.url too, and carry the node's id. `spool` may be NULL. */
void rf_session_report(struct rf_session *session, const char *node_id, const char *url, const char *spool);

/* The run's own last word. RF_STATE_FAILED with the error's text and code, or RF_DONE with `message`. */
void rf_session_end(struct rf_session *session, const rf_error *error, const char *message);

/* Waits for what is still to be delivered, and frees. */
void rf_session_close(struct rf_session *session);
#define rf_autosession RF_CLEANUP(rf_session_close)

/* The test parameter RICHTFEST_KILL_AT, or richtfest.kill_at= of the kernel; NULL: none. The caller frees it. */
char *rf_session_kill_at(void);
