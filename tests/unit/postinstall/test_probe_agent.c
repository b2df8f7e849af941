/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/postinstall/agent.h"

static void it_answers_or_it_does_not_yet(void **state)
{
    (void)state;
    struct rf_recipe_probe probe = {0};
    assert_probe(&rf_probe_agent, &probe, FAKE(PONG), RF_HEALTH_OK, "answers");
    assert_probe(&rf_probe_agent, &probe, FAKE(""), RF_HEALTH_WAITING, "it does not answer");
    assert_probe(&rf_probe_agent, &probe, FAKE("{}"), RF_HEALTH_WAITING,
                 "the guest agent answered guest-ping with something else than a result");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_answers_or_it_does_not_yet)};
    return cmocka_run_group_tests_name("postinstall/probe_agent", tests, NULL, NULL);
}
