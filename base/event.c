/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/event.h"

#include "base/ident.h"
#include "base/json.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdarg.h>
#include <time.h>

struct rf_events {
    pthread_mutex_t lock;
    char *machine;
    char run[RF_UUID_TEXT];
    rf_sink **sinks;
    size_t count;
};

static const char *const state_names[] = {
    [RF_STARTED] = "started", [RF_PROGRESS] = "progress",   [RF_DONE] = "done",
    [RF_SKIPPED] = "skipped", [RF_STATE_FAILED] = "failed", [RF_WAITING] = "waiting",
};

const char *rf_state_name(enum rf_state state)
{
    return state_names[state];
}

rf_events *rf_events_new(const char *machine)
{
    rf_events *events = rf_alloc(sizeof(*events));
    pthread_mutex_init(&events->lock, NULL);
    events->machine = rf_strdup(machine);
    rf_uuid_random(events->run);
    return events;
}

void rf_events_machine(rf_events *events, const char *machine)
{
    pthread_mutex_lock(&events->lock);
    free(events->machine);
    events->machine = rf_strdup(machine);
    pthread_mutex_unlock(&events->lock);
}

void rf_events_add(rf_events *events, rf_sink *sink)
{
    pthread_mutex_lock(&events->lock);
    *(rf_sink **)rf_array_add(&events->sinks, &events->count, sizeof(*events->sinks)) = sink;
    pthread_mutex_unlock(&events->lock);
}

/* RFC 3339 with milliseconds, in UTC: what log collectors sort by. */
static json_t *time_now(void)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    char date[32];
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    rf_autofree char *text = rf_format("%s.%03ldZ", date, now.tv_nsec / 1000000);
    return json_string(text);
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (!text || json_object_set_new(object, key, json_string(text)) == 0)
        return;
    rf_autofree char *ascii = rf_strdup(text); /* a device's or a tool's words may be no UTF-8: jansson refuses them */
    for (char *at = ascii; *at; at++)
        if (*at & 0x80)
            *at = '?';
    json_object_set_new(object, key, json_string(ascii));
}

static double rounded(double seconds)
{
    return (double)(long)(seconds * 1000 + 0.5) / 1000;
}

static char *event_line(const rf_events *events, const struct rf_event *event)
{
    rf_autojson json_t *object = json_object();
    json_object_set_new(object, "time", time_now());
    set_text(object, "machine", events->machine);
    set_text(object, "run", events->run);
    set_text(object, "step", event->step);
    set_text(object, "state", rf_state_name(event->state));
    set_text(object, "title", event->title);
    if (event->seconds >= 0)
        json_object_set_new(object, "seconds", json_real(rounded(event->seconds)));
    if (event->unit) {
        json_object_set_new(object, "done", json_integer((json_int_t)event->done));
        if (event->total)
            json_object_set_new(object, "total", json_integer((json_int_t)event->total));
        set_text(object, "unit", event->unit);
    }
    set_text(object, "message", event->message);
    if (event->state == RF_STATE_FAILED)
        json_object_set_new(object, "code", json_integer(event->code));
    if (event->extra)
        json_object_update(object, event->extra);
    return json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

void rf_emit(rf_events *events, const struct rf_event *event)
{
    if (!events)
        return;
    pthread_mutex_lock(&events->lock);
    rf_autofree char *line = event_line(events, event);
    for (size_t i = 0; line && i < events->count; i++)
        events->sinks[i]->ops->emit(events->sinks[i], event, line);
    pthread_mutex_unlock(&events->lock);
}

void rf_emit_message(rf_events *events, enum rf_state state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *message = rf_format_list(format, args);
    va_end(args);
    rf_emit(events, &(struct rf_event){.state = state, .message = message, .seconds = -1});
}

void rf_events_free(rf_events *events)
{
    if (!events)
        return;
    for (size_t i = 0; i < events->count; i++)
        events->sinks[i]->ops->release(events->sinks[i]);
    free(events->sinks);
    free(events->machine);
    pthread_mutex_destroy(&events->lock);
    free(events);
}
