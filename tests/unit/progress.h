/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is told of a tool's progress, kept as text. */
#pragma once

#include "base/step.h"
#include "tests/unit/unit.h"

struct keeper {
    rf_sink sink;
    char *said; /* "DONE/TOTAL UNIT\n" each */
};

static inline void keeper_note(rf_sink *sink, const struct rf_event *event, const char *line)
{
    (void)line;
    rf_append(&((struct keeper *)sink)->said, "%ju/%ju %s\n", (uintmax_t)event->done, (uintmax_t)event->total,
              event->unit);
}

static inline void keeper_release(rf_sink *sink)
{
    free(((struct keeper *)sink)->said);
}

static const struct rf_sink_ops keeper_ops = {"keeper", keeper_note, keeper_release};

/* The environment of a step whose progress the keeper keeps. */
#define LISTEN(keeper, env)                                                                                            \
    struct keeper keeper = {.sink = {&keeper_ops}, .said = rf_strdup("")};                                             \
    rf_autoevents rf_events *events = rf_events_new("x");                                                              \
    rf_events_add(events, &keeper.sink);                                                                               \
    const struct rf_step step = {.id = (char *)"x", .title = (char *)"x"};                                             \
    struct rf_step_env env = {.events = events, .step = &step, .progressed = -1}

static inline void assert_reads(void (*reader)(void *, const char *, size_t), const char *text, const char *said)
{
    LISTEN(keeper, env);
    reader(&env, text, strlen(text));
    assert_string_equal(keeper.said, said);
}
