/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "installer/last_run.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>

#define SAID                                                                                                           \
    " has failed; 'richtfest apply --node' tries again:\n"                                                             \
    "  Start huge: huge is not started\n"                                                                              \
    "  Make the disk of fat: no space\n"

static char *path_in(const char *directory)
{
    return rf_format("%s/last_run.json", directory);
}

static void step_fails(rf_events *events, const char *id, const char *title, const char *message)
{
    rf_emit(events, &(struct rf_event){
                        .step = id, .title = title, .state = RF_STATE_FAILED, .message = message, .code = RF_FAILED});
}

static void steps_fail(rf_events *events)
{
    rf_emit_message(events, RF_STARTED, "Richtfest");
    step_fails(events, "start/huge", "Start huge", "huge is not started\nits console: \xff");
    rf_emit(events, &(struct rf_event){.step = "start/good", .title = "Start good", .state = RF_DONE});
    step_fails(events, "disk/fat", "Make the disk of fat", "no space");
}

/* A run with two failures; without an end it was killed. */
static void failed_run(const char *path, bool ends)
{
    rf_autoevents rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_last_run(path));
    steps_fail(events);
    if (ends)
        rf_emit_message(events, RF_STATE_FAILED, "2 things have failed");
}

static void good_run(const char *path)
{
    rf_autoevents rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_last_run(path));
    rf_emit(events, &(struct rf_event){.step = "start/good", .title = "Start good", .state = RF_DONE});
    rf_emit_message(events, RF_DONE, "the profile is fulfilled");
}

static void assert_says(const char *path, bool well, const char *expected)
{
    rf_autojson json_t *run = rf_last_run_json(path);
    rf_autofree char *text = rf_last_run_text(run);
    assert_int_equal(rf_last_run_well(run), well);
    if (!*expected)
        assert_string_equal(text, "");
    else
        assert_non_null(strstr(text, expected));
}

static void no_run_has_failed(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = path_in(directory);
    assert_says(path, true, "");
    failed_run(path, false); /* killed, before any run has ended */
    assert_says(path, true, "");
    good_run(path);
    assert_says(path, true, "");
    rf_remove_tree(directory, NULL);
}

static void what_failed_is_said_with_its_first_line(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = path_in(directory);
    struct stat status;
    failed_run(path, true);
    assert_says(path, false, SAID);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600); /* messages may name what is nobody else's business */
    rf_autojson json_t *run = rf_last_run_json(path);
    assert_string_equal(rf_json_string(run, "state"), "failed");
    assert_non_null(rf_json_string(run, "at"));
    assert_int_equal(json_array_size(json_object_get(run, "failures")), 2);
    rf_remove_tree(directory, NULL);
}

static void the_run_that_ended_last_counts(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = path_in(directory);
    good_run(path);
    failed_run(path, true);
    assert_says(path, false, SAID);
    good_run(path);
    assert_says(path, true, "");
    failed_run(path, false); /* under way, or killed */
    assert_says(path, true, "");
    rf_remove_tree(directory, NULL);
}

/* A transfer tells two lines a second: hours of them by another run, or by the same one, change nothing. */
static void what_was_told_since_does_not_hide_it(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = path_in(directory);
    failed_run(path, true);
    rf_autoevents rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_last_run(path));
    for (unsigned i = 1; i <= 20000; i++)
        rf_emit(events, &(struct rf_event){.step = "fetch/web", .state = RF_PROGRESS, .done = i, .unit = "bytes"});
    assert_says(path, false, SAID);
    step_fails(events, "start/huge", "Start huge", "huge is not started");
    for (unsigned i = 1; i <= 20000; i++)
        rf_emit(events, &(struct rf_event){.step = "fetch/web", .state = RF_PROGRESS, .done = i, .unit = "bytes"});
    rf_emit_message(events, RF_STATE_FAILED, "1 thing has failed");
    assert_says(path, false, "Start huge: huge is not started\n");
    rf_remove_tree(directory, NULL);
}

static void a_run_that_fails_before_its_steps_says_why(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = path_in(directory);
    rf_autoevents rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_last_run(path));
    rf_emit_message(events, RF_STATE_FAILED, "this machine has 2 cores");
    assert_says(path, false, " has failed; 'richtfest apply --node' tries again:\n  this machine has 2 cores\n");
    rf_remove_tree(directory, NULL);
}

/* The file is written whole: what can't be read is no sign that all is well. */
static void a_damaged_file_is_not_well(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = path_in(directory);
    assert_int_equal(rf_write_file(path, "{\"state\"", 8, 0600, NULL), 0);
    assert_says(path, false, path);
    assert_int_equal(rf_write_file(path, "{}", 2, 0600, NULL), 0);
    assert_says(path, false, "does not say how it ended");
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_run_has_failed),
        cmocka_unit_test(what_failed_is_said_with_its_first_line),
        cmocka_unit_test(the_run_that_ended_last_counts),
        cmocka_unit_test(a_run_that_fails_before_its_steps_says_why),
        cmocka_unit_test(what_was_told_since_does_not_hide_it),
        cmocka_unit_test(a_damaged_file_is_not_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
