/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/grow.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"

static void the_guest_takes_the_space(void **state)
{
    (void)state;
    rf_autofree char *words = NULL;
    struct fake_agent fake = FAKE(PID, ENDED("0", ""), PID, ENDED("0", ""));
    assert_int_equal(rf_grow_ask(&fake.agent, &words), 1);
    assert_non_null(strstr(fake.asked, "\"path\":\"/usr/bin/growpart\",\"arg\":[\"/dev/vda\",\"3\"]"));
    assert_non_null(strstr(fake.asked, "\"path\":\"/usr/sbin/resize2fs\",\"arg\":[\"/dev/vda3\"]"));
    rf_agent_free(&fake.agent);
    struct fake_agent half = FAKE(PID, ENDED("1", ""), PID, ENDED("0", "")); /* killed after the partition had grown */
    assert_int_equal(rf_grow_ask(&half.agent, &words), 1);
    rf_agent_free(&half.agent);
}

static void one_that_can_not_says_why(void **state)
{
    (void)state;
    rf_autofree char *words = NULL;
    struct fake_agent fake = FAKE(PID, "{\"return\": {\"exited\": true, \"exitcode\": 2, \"err-data\": \"bm8K\"}}");
    assert_int_equal(rf_grow_ask(&fake.agent, &words), 0);
    assert_string_equal(words, "/usr/bin/growpart: no");
    rf_agent_free(&fake.agent);
}

static void only_more_than_before_is_worth_asking(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_step_grow.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_grow_remember(guest, guest->disk, NULL), 0);
    assert_int_equal(rf_step_grow.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    guest->disk += 1U << 20;
    assert_int_equal(rf_step_grow.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guest_takes_the_space),
        cmocka_unit_test(one_that_can_not_says_why),
        cmocka_unit_test(only_more_than_before_is_worth_asking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
