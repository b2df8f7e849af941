/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/probe_record.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <string.h>
#include <time.h>

enum { RECORD_MAX = 1 << 20 };

#define FILE_NAME "probes.json"

static char *now_text(void)
{
    char text[32];
    time_t seconds = time(NULL);
    struct tm utc;
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
    return rf_strdup(text);
}

static bool same(const json_t *left, const json_t *right, const char *key)
{
    const char *a = rf_json_string(left, key), *b = rf_json_string(right, key);
    return a && b && strcmp(a, b) == 0;
}

/* One probe's new result with what was known of it; true where that is news. */
static bool complete(json_t *result, const json_t *before, const char *now)
{
    bool fine = strcmp(rf_json_string(result, "state"), "ok") == 0, same_state = same(before, result, "state");
    json_t *error = json_object_get(before, "error");
    bool new_error = !fine && !same(error, result, "words");
    json_object_set_new(result, "since", json_string(same_state ? rf_json_string(before, "since") : now));
    if (new_error)
        json_object_set_new(result, "error",
                            json_pack("{s:s,s:s}", "words", rf_json_string(result, "words"), "at", now));
    else if (error)
        json_object_set(result, "error", error);
    return new_error || !same_state;
}

/* What is kept: everything but the words of what works, which may change each time. */
static json_t *kept(const json_t *result)
{
    json_t *one =
        json_pack("{s:O,s:O}", "state", json_object_get(result, "state"), "since", json_object_get(result, "since"));
    if (json_object_get(result, "error"))
        json_object_set(one, "error", json_object_get(result, "error"));
    return one;
}

void rf_probe_record(const struct rf_node_guest *guest, json_t *results)
{
    rf_autofree char *path = rf_guest_state_path(guest, FILE_NAME), *state = rf_guest_state_path(guest, ""),
                     *now = now_text();
    rf_autojson json_t *before = rf_exists(path) ? rf_json_load(path, RECORD_MAX, NULL) : NULL;
    rf_autojson json_t *after = json_object();
    bool news = false;
    for (size_t i = 0; i < json_array_size(results); i++) {
        json_t *result = json_array_get(results, i);
        const char *name = rf_json_string(result, "probe");
        news |= complete(result, json_object_get(before, name), now);
        json_object_set_new(after, name, kept(result));
    }
    rf_autofree char *text = rf_json_text(after);
    if (news && rf_make_dirs(state, 0700, NULL) == 0)
        rf_write_file(path, text, strlen(text), 0600, NULL);
}
