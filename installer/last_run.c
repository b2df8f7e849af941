/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/last_run.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_MAX = 16 << 20 }; /* one message per step that failed, each with some kibibytes of a console at most */

struct last_run_sink {
    rf_sink sink;
    char *path;
    json_t *failures;
};

static bool is(const json_t *event, const char *key, const char *value)
{
    const char *has = rf_json_string(event, key);
    return has && strcmp(has, value) == 0;
}

static json_t *failure(const json_t *event)
{
    return json_pack("{s:s?,s:s?,s:s?}", "step", rf_json_string(event, "step"), "title", rf_json_string(event, "title"),
                     "message", rf_json_string(event, "message"));
}

/* Where it can't be written, what the file says of an earlier run is no longer true: it goes. A sink must not fail, and the events are
 * locked while it works: this is for who reads the program's own words, on a node the journal. */
static void complain(const char *path, rf_error *error)
{
    rf_autofree char *why = rf_error_text(error);
    const bool gone = unlink(path) == 0 || errno == ENOENT;
    fprintf(stderr, "richtfest: how this run has ended can't be noted, so 'richtfest status' %s: %s\n",
            gone ? "says nothing of it" : "speaks of an earlier one", why);
    rf_error_free(error);
}

static void write_down(struct last_run_sink *self, const json_t *end)
{
    rf_autojson json_t *record = json_pack("{s:s?,s:s?,s:O}", "at", rf_json_string(end, "time"), "state",
                                           rf_json_string(end, "state"), "failures", self->failures);
    rf_autofree char *text = rf_json_text(record);
    rf_error *error = NULL;
    if (rf_write_file(self->path, text, strlen(text), 0600, &error) < 0)
        complain(self->path, error);
}

/* Only the failures of steps, and the run's own end. The line is read rather than the event: its words are UTF-8 by now. */
static void last_run_emit(rf_sink *sink, const struct rf_event *event, const char *line)
{
    struct last_run_sink *self = (struct last_run_sink *)sink;
    const bool failed = event->state == RF_STATE_FAILED, end = !event->step && (failed || event->state == RF_DONE);
    if (!end && !failed)
        return;
    rf_autojson json_t *json = json_loads(line, 0, NULL);
    if (failed && (!end || json_array_size(self->failures) == 0))
        json_array_append_new(self->failures, failure(json));
    if (end)
        write_down(self, json);
}

static void last_run_release(rf_sink *sink)
{
    struct last_run_sink *self = (struct last_run_sink *)sink;
    json_decref(self->failures);
    free(self->path);
    free(self);
}

rf_sink *rf_sink_last_run(const char *path)
{
    static const struct rf_sink_ops ops = {"last run", last_run_emit, last_run_release};
    struct last_run_sink *self = rf_alloc(sizeof(*self));
    *self = (struct last_run_sink){{&ops}, rf_strdup(path), json_array()};
    return &self->sink;
}

/* It was written whole, so one that can't be read has suffered since. That is no good news. */
json_t *rf_last_run_json(const char *path)
{
    rf_autoerror rf_error *error = NULL;
    if (!rf_exists(path))
        return NULL;
    json_t *record = rf_json_load(path, RECORD_MAX, &error);
    if (record && rf_json_string(record, "state"))
        return record;
    json_decref(record);
    rf_autofree char *why = error ? rf_error_text(error) : rf_format("%s does not say how it ended", path);
    return json_pack("{s:s,s:s,s:[{s:s}]}", "at", "-", "state", "unknown", "failures", "message", why);
}

bool rf_last_run_well(const json_t *run)
{
    return !run || is(run, "state", "done");
}

char *rf_last_run_text(const json_t *run)
{
    if (rf_last_run_well(run))
        return rf_strdup("");
    const char *at = rf_json_string(run, "at");
    char *text = rf_format("The last run (%s) has failed; 'richtfest apply --node' tries again:\n", at ? at : "-");
    const json_t *failures = json_object_get(run, "failures");
    for (size_t i = 0; i < json_array_size(failures); i++) {
        const json_t *one = json_array_get(failures, i);
        const char *title = rf_json_string(one, "title"), *message = rf_json_string(one, "message");
        rf_append(&text, "  %s%s%.*s\n", title ? title : "", title ? ": " : "",
                  message ? (int)strcspn(message, "\n") : 1, message ? message : "-");
    }
    return text;
}
