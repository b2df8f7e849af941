/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/status_ask.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"

/* A desktop on a disk that was asleep takes a minute: with ten seconds a guest that was well was not healthy. */
static void a_program_in_the_guest_gets_its_own_time(void **state)
{
    (void)state;
    struct rf_recipe_probe program = {.ops = &rf_probe_exec, .seconds = 90}, page = {.ops = &rf_probe_http};
    assert_int_equal(rf_status_seconds(&program, false), 90);
    assert_int_equal(rf_status_seconds(&program, true), 10); /* nobody starts it */
    program.seconds = 600;
    assert_int_equal(rf_status_seconds(&program, false), 180);
    program.seconds = 5;
    assert_int_equal(rf_status_seconds(&program, false), 5);
    page.seconds = 30;
    assert_int_equal(rf_status_seconds(&page, false), 10);
}

static const char *state_of(const json_t *results, size_t index)
{
    return rf_json_string(json_array_get(results, index), "state");
}

static void each_is_asked_once_and_in_order(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    const struct rf_node_guest *dc1 = &fixture.model->guests[0];
    struct fake_agent well = FAKE(PONG, PID, FINE, PID, ENDED("0", "")), mute = FAKE("", "", "");
    rf_autojson json_t *results = rf_status_ask(dc1, &well.agent);
    assert_int_equal(json_array_size(results), dc1->recipe->probes_count);
    for (size_t i = 0; i < dc1->recipe->probes_count; i++)
        assert_string_equal(rf_json_string(json_array_get(results, i), "probe"), dc1->recipe->probes[i].name);
    assert_string_equal(state_of(results, 0), "ok");
    rf_autojson json_t *silence = rf_status_ask(dc1, &mute.agent);
    assert_string_equal(state_of(silence, 0), "waiting");
    assert_int_equal(json_array_size(silence), dc1->recipe->probes_count);
    rf_agent_free(&well.agent);
    rf_agent_free(&mute.agent);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_in_the_guest_gets_its_own_time),
        cmocka_unit_test(each_is_asked_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
