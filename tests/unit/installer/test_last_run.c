/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "installer/last_run.h"
#include "tests/unit/unit.h"

#define FAILED_RUN                                                                                                     \
    "{\"time\":\"T1\",\"run\":\"a\",\"state\":\"started\",\"message\":\"Richtfest\"}\n"                                \
    "{\"time\":\"T2\",\"run\":\"a\",\"step\":\"start/huge\",\"title\":\"Start huge\",\"state\":\"failed\","            \
    "\"message\":\"huge is not started\\nits console\"}\n"                                                             \
    "{\"time\":\"T2\",\"run\":\"a\",\"step\":\"start/good\",\"title\":\"Start good\",\"state\":\"done\"}\n"            \
    "{\"time\":\"T3\",\"run\":\"a\",\"step\":\"disk/fat\",\"title\":\"Make the disk of fat\",\"state\":\"failed\","    \
    "\"message\":\"no space\"}\n"                                                                                      \
    "{\"time\":\"T4\",\"run\":\"a\",\"state\":\"failed\",\"message\":\"2 things have failed\"}\n"
#define SAID                                                                                                           \
    "The last run (T4) has failed; 'richtfest apply --node' tries again:\n"                                            \
    "  Start huge: huge is not started\n"                                                                              \
    "  Make the disk of fat: no space\n"

static void assert_says(const char *events, bool well, const char *expected)
{
    rf_autofree char *directory = unit_directory();
    rf_autofree char *path = rf_format("%s/events.jsonl", directory);
    if (events)
        assert_int_equal(rf_write_file(path, events, strlen(events), 0600, NULL), 0);
    rf_autojson json_t *run = rf_last_run_json(path);
    rf_autofree char *text = rf_last_run_text(run);
    assert_string_equal(text, expected);
    assert_int_equal(rf_last_run_well(run), well);
    rf_remove_tree(directory, NULL);
}

static void no_run_has_failed(void **state)
{
    (void)state;
    assert_says(NULL, true, "");
    assert_says("", true, "");
    assert_says("{\"time\":\"T1\",\"run\":\"a\",\"state\":\"started\"}\n", true, "");
}

static void what_failed_is_said_with_its_first_line(void **state)
{
    (void)state;
    assert_says(FAILED_RUN, false, SAID);
}

static void the_run_that_ended_last_counts(void **state)
{
    (void)state;
    assert_says(FAILED_RUN "{\"time\":\"T5\",\"run\":\"b\",\"state\":\"done\"}\n", true, "");
    assert_says("{\"time\":\"T0\",\"run\":\"z\",\"state\":\"done\"}\n" FAILED_RUN
                "{\"time\":\"T5\",\"run\":\"b\",\"state\":\"started\"}\n" /* under way, or killed */
                "{\"time\":\"T6\",\"run\":\"b\",\"step\":\"start/x\",\"state\":\"failed\"}\n{\"time\":\"T7",
                false, SAID);
}

static void a_run_that_fails_before_its_steps_says_why(void **state)
{
    (void)state;
    assert_says("{\"time\":\"T1\",\"run\":\"a\",\"state\":\"failed\",\"message\":\"this machine has 2 cores\"}\n",
                false,
                "The last run (T1) has failed; 'richtfest apply --node' tries again:\n  this machine has 2 cores\n");
}

/* The file is read from its end: what was cut off at the beginning of the last mebibyte is no event. */
static void a_long_file_is_read_from_its_end(void **state)
{
    (void)state;
    rf_autofree char *filler = rf_alloc(2 << 20);
    memset(filler, 'x', (1 << 20) + 5);
    rf_autofree char *events = rf_format("{\"run\":\"%s\"}\n" FAILED_RUN, filler);
    assert_says(events, false, SAID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_run_has_failed),
        cmocka_unit_test(what_failed_is_said_with_its_first_line),
        cmocka_unit_test(the_run_that_ended_last_counts),
        cmocka_unit_test(a_run_that_fails_before_its_steps_says_why),
        cmocka_unit_test(a_long_file_is_read_from_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
