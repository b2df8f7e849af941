/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is made of a command's end, whoever runs it. */
#include "base/command.h"
#include "tests/unit/unit.h"

struct fake {
    rf_runner runner;
    struct rf_result answer; /* borrowed texts; out NULL: it can't be started */
};

static int run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    const struct fake *self = (const struct fake *)runner;
    if (!self->answer.out)
        return rf_fail(err, RF_FAILED, "%s can't be started", command->argv[0]);
    *result = (struct rf_result){self->answer.status, rf_strdup(self->answer.out), strlen(self->answer.out),
                                 rf_strdup(self->answer.err)};
    return 0;
}

static const struct rf_runner_ops ops = {"fake", run, NULL};

static void a_failure_has_the_commands_last_words(void **state)
{
    (void)state;
    static const struct {
        struct rf_result answer;
        const char *said;
    } rows[] = {
        {{1, (char *)"out\n", 0, (char *)"warning\nno space left\n\n  \r\n"},
         "tool ended with status 1: no space left"},
        {{2, (char *)"one\ntwo", 0, (char *)" \n"}, "tool ended with status 2: two"},
        {{137, (char *)"", 0, (char *)""}, "tool ended with status 137 and said nothing"},
        {{0, NULL, 0, NULL}, "tool can't be started"},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        struct fake fake = {{&ops}, rows[i].answer};
        struct rf_result result = {0};
        rf_error *error = NULL;
        assert_int_equal(rf_run(&fake.runner, &(struct rf_command){.argv = RF_ARGV("tool", "x")}, &result, &error), -1);
        assert_null(result.out);
        assert_int_equal(rf_error_code(error), RF_FAILED);
        assert_error(error, rows[i].said);
        assert_int_equal(rf_run_argv(&fake.runner, RF_ARGV("tool"), NULL), -1);
        char *out = (char *)"untouched";
        assert_int_equal(rf_run_output(&fake.runner, RF_ARGV("tool"), &out, NULL), -1);
        assert_string_equal(out, "untouched");
    }
}

static void a_status_is_no_failure_for_who_asks_for_it(void **state)
{
    (void)state;
    struct fake fake = {{&ops}, {5, (char *)"out", 3, (char *)"err"}};
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("tool")};
    assert_int_equal(rf_run_status(&fake.runner, &command, &result, NULL), 0);
    assert_int_equal(result.status, 5);
    assert_string_equal(result.err, "err");
}

static void output_is_handed_on(void **state)
{
    (void)state;
    struct fake fake = {{&ops}, {0, (char *)"a\nb\n", 4, (char *)"a warning"}};
    rf_autofree char *out = NULL;
    assert_int_equal(rf_run_output(&fake.runner, RF_ARGV("tool"), &out, NULL), 0);
    assert_string_equal(out, "a\nb\n");
    assert_int_equal(rf_run_argv(&fake.runner, RF_ARGV("tool"), NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_the_commands_last_words),
        cmocka_unit_test(a_status_is_no_failure_for_who_asks_for_it),
        cmocka_unit_test(output_is_handed_on),
    };
    return cmocka_run_group_tests_name("base/command", tests, NULL, NULL);
}
