/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/last_run.h"

#include "base/memory.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { TAIL_BYTES = 1 << 20 };

/* The end of the file, from the beginning of a line on; NULL where it can't be read. The caller frees it. */
static char *tail_of(const char *path)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (size < 0)
        return NULL;
    off_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    char *text = rf_alloc(TAIL_BYTES + 1);
    ssize_t got = pread(fd, text, TAIL_BYTES, from);
    text[got > 0 ? got : 0] = '\0';
    char *line = from ? strchr(text, '\n') : NULL;
    if (line)
        memmove(text, line + 1, strlen(line + 1) + 1);
    return text;
}

static bool is(const json_t *event, const char *key, const char *value)
{
    const char *has = rf_json_string(event, key);
    return has && strcmp(has, value) == 0;
}

/* A run's last word. */
static bool ends(const json_t *event)
{
    return !rf_json_string(event, "step") && (is(event, "state", "done") || is(event, "state", "failed"));
}

static json_t *failure(const json_t *event)
{
    return json_pack("{s:s?,s:s?,s:s?}", "step", rf_json_string(event, "step"), "title", rf_json_string(event, "title"),
                     "message", rf_json_string(event, "message"));
}

static json_t *events_in(char *text)
{
    json_t *events = json_array();
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_t *event = json_loads(line, 0, NULL);
        if (event)
            json_array_append_new(events, event); /* a line that a power cut left unfinished is none */
    }
    return events;
}

json_t *rf_last_run_json(const char *path)
{
    rf_autofree char *text = tail_of(path);
    rf_autojson json_t *events = text ? events_in(text) : NULL;
    const json_t *end = NULL;
    for (size_t i = json_array_size(events); i > 0 && !end; i--)
        if (ends(json_array_get(events, i - 1)))
            end = json_array_get(events, i - 1);
    const char *run = rf_json_string(end, "run");
    if (!run)
        return NULL;
    json_t *failures = json_array();
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if (is(event, "run", run) && is(event, "state", "failed") && rf_json_string(event, "step"))
            json_array_append_new(failures, failure(event));
    }
    if (json_array_size(failures) == 0 && is(end, "state", "failed"))
        json_array_append_new(failures, failure(end));
    return json_pack("{s:s?,s:s,s:o}", "at", rf_json_string(end, "time"), "state", rf_json_string(end, "state"),
                     "failures", failures);
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
