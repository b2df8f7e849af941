/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/postinstall/agent.h"

static void a_program_in_the_guest_is_waited_for(void **state)
{
    (void)state;
    struct fake_agent fake = FAKE(PID, RUNS, ENDED("3", ", \"err-data\": \"bm8K\""));
    rf_autojson json_t *argv = json_pack("[s,s]", "/bin/x", "-y");
    struct rf_agent_result result = {0};
    assert_int_equal(rf_agent_exec(&fake.agent, argv, "secret", 5, &result, NULL), 0);
    assert_int_equal(result.status, 3);
    assert_string_equal(result.err, "no\n");
    assert_string_equal(result.out, "");
    assert_non_null(strstr(fake.asked, "\"path\":\"/bin/x\",\"arg\":[\"-y\"]"));
    assert_non_null(strstr(fake.asked, "\"input-data\":\"c2VjcmV0\""));
    rf_agent_result_clear(&result);
    rf_agent_free(&fake.agent);
}

static void a_program_that_does_not_end_is_left(void **state)
{
    (void)state;
    struct fake_agent fake = FAKE(PID, RUNS, RUNS, RUNS, RUNS, RUNS, RUNS);
    rf_autojson json_t *argv = json_pack("[s]", "/bin/x");
    struct rf_agent_result result = {0};
    rf_error *error = NULL;
    assert_int_equal(rf_agent_exec(&fake.agent, argv, NULL, 1, &result, &error), -1);
    assert_null(result.out);
    assert_error(error, "/bin/x did not end within 1 s in the guest");
    assert_null(strstr(fake.asked, "input-data"));
    rf_agent_free(&fake.agent);
}

static void odd_answers_of_an_agent_are_failures(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "not JSON", "{}", "{\"error\": {\"desc\": \"no\"}}", "[]"};
    rf_autojson json_t *argv = json_pack("[s]", "/bin/x");
    for (size_t i = 0; i < RF_COUNT(odd); i++) {
        struct fake_agent fake = FAKE(odd[i], PID, odd[i]);
        struct rf_agent_result result = {0};
        rf_error *error = NULL;
        assert_int_equal(rf_agent_ping(&fake.agent, 1, NULL), -1);
        assert_int_equal(rf_agent_exec(&fake.agent, argv, NULL, 5, &result, &error), -1);
        assert_error_has(error, "waiting for /bin/x in the guest: ");
        rf_agent_free(&fake.agent);
    }
    struct fake_agent fake = FAKE(PID, "{\"return\": {\"exited\": true, \"out-data\": \"***\", \"signal\": 9}}");
    struct rf_agent_result result = {0};
    assert_int_equal(rf_agent_exec(&fake.agent, argv, NULL, 5, &result, NULL), 0);
    assert_int_equal(result.status, 128 + 9);
    assert_string_equal(result.out, "");
    rf_agent_result_clear(&result);
    rf_agent_free(&fake.agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_in_the_guest_is_waited_for),
        cmocka_unit_test(a_program_that_does_not_end_is_left),
        cmocka_unit_test(odd_answers_of_an_agent_are_failures),
    };
    return cmocka_run_group_tests_name("postinstall/agent", tests, NULL, NULL);
}
