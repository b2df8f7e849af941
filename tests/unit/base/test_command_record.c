/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/command.h"
#include "base/file.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>

static void test_replay_says_what_was_recorded(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *path = rf_format("%s/recording", directory);
    rf_autorunner rf_runner *recorder = rf_runner_record(rf_runner_real(), path);
    assert_int_equal(rf_run_argv(recorder, RF_ARGV("echo", "a b"), NULL), 0);
    assert_int_equal(rf_run_argv(recorder, RF_ARGV("false"), NULL), -1);

    rf_error *error = NULL;
    rf_autorunner rf_runner *replay = rf_runner_replay(path, NULL);
    rf_autofree char *out = NULL;
    assert_int_equal(rf_run_output(replay, RF_ARGV("echo", "a b"), &out, NULL), 0);
    assert_string_equal(out, "a b\n");
    assert_int_equal(rf_run_argv(replay, RF_ARGV("false"), &error), -1);
    assert_error(error, "false ended with status 1 and said nothing");
    assert_int_equal(rf_run_argv(replay, RF_ARGV("rm", "-r", "/"), &error), -1);
    assert_error_has(error, "the recording ends before `rm -r /`");
    rf_remove_tree(directory, NULL);
}

static void test_replay_refuses_another_command(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *path = rf_format("%s/recording", directory);
    rf_autorunner rf_runner *recorder = rf_runner_record(rf_runner_real(), path);
    assert_int_equal(rf_run_argv(recorder, RF_ARGV("echo", "one"), NULL), 0);
    rf_error *error = NULL;
    rf_autorunner rf_runner *replay = rf_runner_replay(path, NULL);
    assert_int_equal(rf_run_argv(replay, RF_ARGV("echo", "two"), &error), -1);
    assert_error_has(error, "recorded `echo one`, but `echo two` was to be run");
    rf_remove_tree(directory, NULL);
}

static void test_recording_never_holds_input(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *path = rf_format("%s/recording", directory);
    rf_autorunner rf_runner *recorder = rf_runner_record(rf_runner_real(), path);
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("wc", "-c"), .input = "geheim-123", .input_size = 10};
    assert_int_equal(rf_run(recorder, &command, &result, NULL), 0);
    rf_autofree char *text = NULL;
    assert_int_equal(rf_read_file(path, 4096, &text, NULL, NULL), 0);
    assert_null(strstr(text, "geheim"));
    rf_remove_tree(directory, NULL);
}

static void test_dry_lists(void **state)
{
    (void)state;
    rf_autorunner rf_runner *dry = rf_runner_dry();
    assert_int_equal(rf_run_argv(dry, RF_ARGV("mdadm", "--stop", "/dev/md/a b"), NULL), 0);
    assert_int_equal(rf_run_argv(dry, RF_ARGV("true", ""), NULL), 0);
    assert_string_equal(rf_runner_dry_text(dry), "mdadm --stop '/dev/md/a b'\ntrue ''\n");
}

static void test_nth_command_fails(void **state)
{
    (void)state;
    rf_error *error = NULL;
    rf_autorunner rf_runner *fault = rf_runner_fault(rf_runner_dry(), 2, 5);
    assert_int_equal(rf_run_argv(fault, RF_ARGV("one"), NULL), 0);
    assert_int_equal(rf_run_argv(fault, RF_ARGV("two"), &error), -1);
    assert_error(error, "two ended with status 5: fault injected at command 2");
    assert_int_equal(rf_run_argv(fault, RF_ARGV("three"), NULL), 0);
}

static void test_nth_command_kills(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        rf_runner *fault = rf_runner_fault(rf_runner_dry(), 1, -1);
        rf_run_argv(fault, RF_ARGV("one"), NULL);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay_says_what_was_recorded),
        cmocka_unit_test(test_replay_refuses_another_command),
        cmocka_unit_test(test_recording_never_holds_input),
        cmocka_unit_test(test_dry_lists),
        cmocka_unit_test(test_nth_command_fails),
        cmocka_unit_test(test_nth_command_kills),
    };
    return cmocka_run_group_tests_name("base/command_record", tests, NULL, NULL);
}
