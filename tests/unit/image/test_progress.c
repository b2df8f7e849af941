/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/progress.h"
#include "tests/unit/unit.h"

static const struct rf_step step = {.id = (char *)"step", .title = (char *)"step"};

struct seen {
    rf_sink sink;
    uint64_t done, total;
};

static void note(rf_sink *sink, const struct rf_event *event, const char *line)
{
    (void)line;
    struct seen *self = (struct seen *)sink;
    self->done = event->done;
    self->total = event->total;
}

static void nothing(rf_sink *sink)
{
    (void)sink;
}

static const struct rf_sink_ops ops = {"seen", note, nothing};

static void apt_is_counted_in_chunks_of_any_size(void **state)
{
    (void)state;
    static const char text[] = "Reading package lists...\n"
                               "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.\n"
                               "Get:1 http://archive/debian trixie/main amd64 a amd64 1 [1 B]\n"
                               "Get:2 http://archive/debian trixie/main amd64 b amd64 1 [1 B]\n"
                               "Unpacking a (1) ...\n"
                               "Unpacking b (1) ...\n"
                               "Setting up a (1) ...\n"
                               "Setting up b (1) ...\n";
    rf_autoevents rf_events *events = rf_events_new("test");
    struct seen seen = {.sink = {&ops}};
    rf_events_add(events, &seen.sink);
    struct rf_step_env env = {.events = events, .step = &step};
    for (size_t chunk = 1; chunk < 50; chunk += 7) {
        struct rf_progress_apt progress = {.env = &env};
        for (size_t at = 0; at < sizeof(text) - 1; at += chunk)
            rf_progress_apt(&progress, text + at, at + chunk < sizeof(text) ? chunk : sizeof(text) - 1 - at);
        assert_int_equal(progress.packages, 2);
        assert_int_equal(progress.steps, 6);
        assert_int_equal(seen.done, 100);
        assert_int_equal(seen.total, 100);
        seen.done = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(apt_is_counted_in_chunks_of_any_size)};
    return cmocka_run_group_tests_name("image/progress", tests, NULL, NULL);
}
