/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/session.h"

#include "base/memory.h"
#include "base/units.h"
#include "installer/cmdline.h"

enum { FLUSH_SECONDS = 60 }; /* how long a machine that is about to reboot waits for its last report */

static unsigned number_from(const char *name)
{
    const char *text = getenv(name);
    return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static rf_runner *make_runner(void)
{
    rf_runner *runner = rf_runner_real();
    if (getenv("RICHTFEST_RECORD"))
        runner = rf_runner_record(runner, getenv("RICHTFEST_RECORD"));
    if (number_from("RICHTFEST_FAIL_COMMAND"))
        runner = rf_runner_fault(runner, number_from("RICHTFEST_FAIL_COMMAND"), 1);
    if (number_from("RICHTFEST_KILL_COMMAND"))
        runner = rf_runner_fault(runner, number_from("RICHTFEST_KILL_COMMAND"), -1);
    return runner;
}

static rf_sink *sink_for(enum rf_audience audience)
{
    if (audience == RF_AUDIENCE_JSON)
        return rf_sink_fd(STDOUT_FILENO);
    return audience == RF_AUDIENCE_CONSOLES ? rf_sink_consoles(NULL) : rf_sink_console(STDOUT_FILENO);
}

void rf_session_open(struct rf_session *session, enum rf_audience audience, const char *event_file, const char *machine)
{
    *session = (struct rf_session){.runner = make_runner(), .events = rf_events_new(machine), .started = rf_now()};
    rf_events_add(session->events, sink_for(audience));
    rf_events_add(session->events, rf_sink_journal());
    if (!event_file)
        return;
    rf_autoerror rf_error *error = NULL;
    rf_sink *file = rf_sink_file(event_file, &error);
    if (file) {
        rf_events_add(session->events, file);
        return;
    }
    rf_autofree char *why = rf_error_text(error);
    rf_emit_message(session->events, RF_PROGRESS, "%s; going on without it", why);
}

void rf_session_report(struct rf_session *session, const char *node_id, const char *url, const char *spool)
{
    if (node_id)
        rf_events_machine(session->events, node_id);
    if (!url)
        return;
    rf_autoerror rf_error *error = NULL;
    rf_sink *sink = rf_sink_report(url, spool, FLUSH_SECONDS, &error);
    if (sink) {
        rf_events_add(session->events, sink);
        return;
    }
    rf_autofree char *why = rf_error_text(error);
    rf_emit_message(session->events, RF_PROGRESS, "report.url: %s; going on without reports", why);
}

void rf_session_end(struct rf_session *session, const rf_error *error, const char *message)
{
    rf_autofree char *why = rf_error_text(error);
    rf_emit(session->events, &(struct rf_event){.state = error ? RF_STATE_FAILED : RF_DONE,
                                                .message = error ? why : message,
                                                .code = rf_error_code(error),
                                                .seconds = rf_now() - session->started});
}

void rf_session_close(struct rf_session *session)
{
    rf_events_free(session->events);
    rf_runner_free(session->runner);
    *session = (struct rf_session){0};
}

char *rf_session_kill_at(void)
{
    const char *asked = getenv("RICHTFEST_KILL_AT");
    return asked ? rf_strdup(asked) : rf_cmdline("richtfest.kill_at");
}
