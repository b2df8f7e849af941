/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events: one JSON object a line, the one stream that the console, the log, the webhook, `status` and the tests all read.
 *
 *   {"time":"2026-11-21T02:30:00.123Z","machine":"musterkunde-n1","run":"6f…","step":"deploy/root","state":"progress",
 *    "title":"Deploy the root","seconds":12.3,"done":104857600,"total":943718400,"unit":"bytes","message":"…","code":3}
 *
 * `step` is absent for the run itself: its `started` leaves before the first write, and its `done` or `failed` ends it.
 */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum rf_state { RF_STARTED, RF_PROGRESS, RF_DONE, RF_SKIPPED, RF_STATE_FAILED, RF_WAITING };

struct rf_event {
    const char *step;  /* step id, or NULL for the run itself */
    const char *title; /* what a person reads; or NULL */
    enum rf_state state;
    const char *message;  /* or NULL */
    double seconds;       /* since the step's (or run's) start; negative: not said */
    uint64_t done, total; /* progress; total 0: unknown */
    const char *unit;     /* "bytes", "files", …; or NULL */
    enum rf_code code;    /* with RF_STATE_FAILED */
    json_t *extra;        /* further members, merged into the object (borrowed); or NULL */
};

typedef struct rf_events rf_events;
typedef struct rf_sink rf_sink;

/* A place where events go: one file each (event_console.c, event_file.c, event_journal.c, event_report.c). emit() gets the
 * event and its JSON line (without newline); it must not fail and must not block for long. */
struct rf_sink_ops {
    const char *name;
    void (*emit)(rf_sink *sink, const struct rf_event *event, const char *line);
    void (*release)(rf_sink *sink); /* delivers what is pending, within bounds, and frees the sink itself */
};

struct rf_sink {
    const struct rf_sink_ops *ops;
};

/* `machine` names this machine in every event (the node id, or the DMI serial until a profile is there). The run id is
 * random (UUIDv4). */
rf_events *rf_events_new(const char *machine);
void rf_events_machine(rf_events *events, const char *machine);

/* Takes the sink over. Sinks get events in the order in which they were added. */
void rf_events_add(rf_events *events, rf_sink *sink);

/* Adds time, machine and run and hands it to every sink. May be called from several threads. NULL events is a no-op. */
void rf_emit(rf_events *events, const struct rf_event *event);

/* The message of an event that belongs to no step. */
void rf_emit_message(rf_events *events, enum rf_state state, const char *format, ...) RF_PRINTF(3, 4);

/* Closes every sink in turn (see rf_sink_ops.release). */
void rf_events_free(rf_events *events);
RF_GUARD(rf_events, rf_events_free);
#define rf_autoevents RF_CLEANUP(rf_guard_rf_events)

const char *rf_state_name(enum rf_state state);

/* People's view: one line per step with its time; progress redrawn in place where `fd` is a terminal, and one line per
 * tenth elsewhere. */
rf_sink *rf_sink_console(int fd);

/* Every console that the kernel writes to (NULL: /sys/class/tty/console/active; or names below /dev with blanks between), opened
 * without becoming its owner: for unattended runs, whose reader may look at a screen or at a serial line. One that a login program
 * hangs up meanwhile is opened again. */
rf_sink *rf_sink_consoles(const char *names);

/* JSON lines appended to a file (0600), or to a descriptor (not closed). The file is a log: progress that only counts is left out, and one
 * that has grown to RF_EVENT_FILE_MAX bytes (thousands of runs) is renamed to "PATH.1", in the place of the one before it, when it is opened. */
#define RF_EVENT_FILE_MAX (8 << 20)
rf_sink *rf_sink_file(const char *path, rf_error **err);
rf_sink *rf_sink_fd(int fd);

/* The journal, by sd_journal's native protocol over /run/systemd/journal/socket; silent where there is none. */
rf_sink *rf_sink_journal(void);

/* POSTs every event to `url` (http or https) from a child process, in order, retried with back-off, spooled to
 * `spool` (a 0600 file, NULL for memory only) until delivered; a spool left by an earlier run is delivered first. Release
 * waits up to `flush_seconds`. When this process dies without having sent the run's `done` or `failed`, the child sends a
 * `failed` with the last lines in its place. The URL is not put in any event or message beyond its host. */
rf_sink *rf_sink_report(const char *url, const char *spool, unsigned flush_seconds, rf_error **err);
