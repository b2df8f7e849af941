/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/command.h"
#include "base/units.h"
#include "tests/unit/unit.h"

static rf_runner *runner;

static void test_output_and_status(void **state)
{
    (void)state;
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("sh", "-c", "echo out; echo err >&2; exit 7")};
    assert_int_equal(rf_run_status(runner, &command, &result, NULL), 0);
    assert_int_equal(result.status, 7);
    assert_string_equal(result.out, "out\n");
    assert_string_equal(result.err, "err\n");
}

static void test_failure_has_last_words(void **state)
{
    (void)state;
    rf_error *error = NULL;
    assert_int_equal(
        rf_run_argv(runner, RF_ARGV("sh", "-c", "echo first >&2; echo device is busy >&2; exit 2"), &error), -1);
    assert_error(error, "sh ended with status 2: device is busy");
    assert_int_equal(rf_run_argv(runner, RF_ARGV("sh", "-c", "kill -9 $$"), &error), -1);
    assert_error(error, "sh ended with status 137 and said nothing");
}

static void test_not_there(void **state)
{
    (void)state;
    rf_error *error = NULL;
    assert_int_equal(rf_run_argv(runner, RF_ARGV("no-such-tool"), &error), -1);
    assert_error(error, "no-such-tool can't be started: No such file or directory");
}

static void test_input_is_fed(void **state)
{
    (void)state;
    enum { SIZE = 300000 }; /* more than a pipe holds, both ways at once */
    rf_autofree char *input = rf_alloc(SIZE + 1);
    memset(input, 'x', SIZE);
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("cat"), .input = input, .input_size = SIZE};
    assert_int_equal(rf_run(runner, &command, &result, NULL), 0);
    assert_int_equal(result.out_size, SIZE);
    assert_string_equal(result.out, input);
}

static void test_no_input_is_not_the_terminal(void **state)
{
    (void)state;
    rf_autofree char *out = NULL;
    assert_int_equal(rf_run_output(runner, RF_ARGV("cat"), &out, NULL), 0);
    assert_string_equal(out, "");
}

static void test_child_that_reads_nothing(void **state)
{
    (void)state;
    rf_autofree char *input = rf_alloc(300001);
    memset(input, 'x', 300000);
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("true"), .input = input, .input_size = 300000};
    assert_int_equal(rf_run(runner, &command, &result, NULL), 0);
}

static void test_time_is_up_for_the_whole_group(void **state)
{
    (void)state;
    rf_error *error = NULL;
    rf_autoresult struct rf_result result = {0};
    double before = rf_now();
    const struct rf_command command = {.argv = RF_ARGV("sh", "-c", "sleep 60 & sleep 60"), .seconds = 1};
    assert_int_equal(rf_run(runner, &command, &result, &error), -1);
    assert_true(rf_now() - before < 20);
    assert_error(error, "sh did not end within 1 s and was killed");
}

static void test_descriptors_do_not_leak(void **state)
{
    (void)state;
    rf_autofree char *out = NULL;
    assert_int_equal(rf_run_output(runner, RF_ARGV("sh", "-c", "ls /proc/self/fd | wc -l"), &out, NULL), 0);
    assert_int_equal(atoi(out), 4); /* 0, 1, 2 and the directory that ls reads */
}

static void test_environment(void **state)
{
    (void)state;
    rf_autoresult struct rf_result result = {0};
    const char *const env[] = {"RF_X=a b", NULL};
    const struct rf_command command = {
        .argv = RF_ARGV("sh", "-c", "echo \"$RF_X,$LC_ALL,$PWD\""), .env = env, .cwd = "/"};
    assert_int_equal(rf_run(runner, &command, &result, NULL), 0);
    assert_string_equal(result.out, "a b,C.UTF-8,/\n");
}

static void test_flood_keeps_the_end(void **state)
{
    (void)state;
    rf_autofree char *out = NULL;
    assert_int_equal(
        rf_run_output(runner, RF_ARGV("sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x; echo end"), &out, NULL), 0);
    assert_true(strlen(out) <= RF_COMMAND_OUTPUT_MAX + 65536);
    assert_string_equal(out + strlen(out) - 4, "end\n");
}

static int setup(void **state)
{
    (void)state;
    runner = rf_runner_real();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rf_runner_free(runner);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_and_status),
        cmocka_unit_test(test_failure_has_last_words),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_input_is_fed),
        cmocka_unit_test(test_no_input_is_not_the_terminal),
        cmocka_unit_test(test_child_that_reads_nothing),
        cmocka_unit_test(test_time_is_up_for_the_whole_group),
        cmocka_unit_test(test_descriptors_do_not_leak),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_flood_keeps_the_end),
    };
    return cmocka_run_group_tests_name("base/command_real", tests, setup, teardown);
}
