/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/postinstall/agent.h"

#define YES ENDED("0", "")
#define NO ENDED("1", "")

/* {"v1": {}}, [], {"v1": {"errors": ["one", "two\nlines"]}} */
#define NO_ERRORS_LIST ENDED("0", ", \"out-data\": \"eyJ2MSI6IHt9fQ==\"")
#define NO_OBJECT ENDED("0", ", \"out-data\": \"W10=\"")
#define TWO ENDED("0", ", \"out-data\": \"eyJ2MSI6IHsiZXJyb3JzIjogWyJvbmUiLCAidHdvXG5saW5lcyJdfX0=\"")

static struct rf_recipe_probe probe;

static void it_is_judged_by_its_result(void **state)
{
    (void)state;
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(PID, FINE), RF_HEALTH_OK, "finished without error");
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(PID, BROKE), RF_HEALTH_BROKEN, "finished with 1 error: it broke");
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(PID, TWO), RF_HEALTH_BROKEN, "finished with 2 errors: one");
}

/* A result that is being written, or an agent that goes away, is no verdict. */
static void what_can_not_be_read_is_asked_for_again(void **state)
{
    (void)state;
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(PID, YES), RF_HEALTH_WAITING, "its result can't be read");
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(PID, NO_ERRORS_LIST), RF_HEALTH_WAITING,
                 "its result can't be read");
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(PID, NO_OBJECT), RF_HEALTH_WAITING, "its result can't be read");
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(""), RF_HEALTH_WAITING,
                 "starting /bin/cat in the guest: it does not answer");
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(PID, NO, PID, ""), RF_HEALTH_WAITING,
                 "waiting for /usr/bin/test in the guest: it does not answer");
}

static void without_a_result_it_is_at_work_or_switched_off(void **state)
{
    (void)state;
    assert_probe(&rf_probe_cloud_init, &probe, FAKE(PID, NO, PID, NO), RF_HEALTH_WAITING, "still at work");
    struct fake_agent fake = FAKE(PID, NO, PID, YES);
    rf_autofree char *words = NULL;
    assert_int_equal(ask_probe(&rf_probe_cloud_init, &probe, &fake, NULL, &words), RF_HEALTH_OK);
    assert_string_equal(words, "finished at the first boot");
    assert_non_null(strstr(fake.asked, "[\"/run/cloud-init/result.json\"]"));
    assert_non_null(strstr(fake.asked, "[\"-e\",\"/etc/cloud/cloud-init.disabled\"]"));
    rf_agent_free(&fake.agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_judged_by_its_result),
        cmocka_unit_test(what_can_not_be_read_is_asked_for_again),
        cmocka_unit_test(without_a_result_it_is_at_work_or_switched_off),
    };
    return cmocka_run_group_tests_name("postinstall/probe_cloud_init", tests, NULL, NULL);
}
