/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/health.h"
#include "postinstall/probe_record.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"

/* The directory's probes, cut down to the agent and cloud-init. */
static void two_probes(struct fixture *fixture)
{
    fixture->model->guests[0].recipe->health_seconds = 0;
    for (size_t i = 2; i < fixture->model->guests[0].recipe->probes_count; i++) {
        struct rf_recipe_probe *probe = &fixture->model->guests[0].recipe->probes[i];
        free(probe->name);
        json_decref(probe->argv);
        free(probe->secret);
        free(probe->service);
        free(probe->zone);
    }
    fixture->model->guests[0].recipe->probes_count = 2;
}

static void a_healthy_guest_is_recorded(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    two_probes(&fixture);
    struct fake_agent fake = FAKE(PONG, PID, FINE, PONG, PID, FINE);
    assert_int_equal(rf_health_wait(&fixture.env, &fixture.model->guests[0], &fake.agent, NULL), 0);
    rf_autojson json_t *recorded = rf_health_recorded(&fixture.model->guests[0]);
    assert_non_null(rf_json_string(recorded, "since"));
    assert_true(rf_health_all_ok(json_object_get(recorded, "probes"), 2));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_non_null(strstr(events, "guest agent: answers (ok)"));
    assert_non_null(strstr(events, "cloud-init: finished without error (ok)"));
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

/* A small machine takes its time for everything; what gets on is not given up in the middle. */
static void each_probe_has_the_whole_time(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    two_probes(&fixture);
    fixture.model->guests[0].recipe->health_seconds = 2;
    rf_autodomain virDomainPtr domain = fixture_running(&fixture);
    struct fake_agent fake = FAKE("", PONG, "", "", PID, FINE, PONG, PID, FINE); /* a second passes after each "" */
    assert_int_equal(rf_health_wait(&fixture.env, &fixture.model->guests[0], &fake.agent, NULL), 0);
    rf_agent_free(&fake.agent);
    virDomainDestroy(domain);
    fixture_close(&fixture);
}

static json_t *results_of(const char *state, const char *words)
{
    return json_pack("[{s:s,s:s,s:s}]", "probe", "web", "state", state, "words", words);
}

static void a_result_that_is_missing_is_no_health(void **state)
{
    (void)state;
    rf_autojson json_t *one = results_of("ok", "answers"), *none = json_array();
    assert_true(rf_health_all_ok(one, 1));
    assert_false(rf_health_all_ok(one, 2));
    assert_false(rf_health_all_ok(none, 0));
}

static void each_probe_has_its_history(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autojson json_t *first = results_of("ok", "answers"), *later = results_of("ok", "answers otherwise");
    rf_autojson json_t *broken = results_of("waiting", "status 502"), *again = results_of("ok", "answers");
    rf_probe_record(guest, first);
    assert_non_null(rf_json_string(json_array_get(first, 0), "since"));
    assert_null(json_object_get(json_array_get(first, 0), "error"));
    fixture_write(&fixture, "/var/lib/richtfest/guests/dc1/probes.json",
                  "{\"web\": {\"state\": \"ok\", \"since\": \"2000-01-01T00:00:00Z\"}}\n", 0600);
    rf_probe_record(guest, later);
    assert_int_equal(strncmp(rf_json_string(json_array_get(later, 0), "since"), "2000", 4),
                     0); /* the words do not count */
    rf_probe_record(guest, broken);
    assert_int_not_equal(strncmp(rf_json_string(json_array_get(broken, 0), "since"), "2000", 4), 0);
    rf_probe_record(guest, again);
    const json_t *error = json_object_get(json_array_get(again, 0), "error");
    assert_string_equal(rf_json_string(error, "words"), "status 502"); /* what was wrong is still known */
    fixture_close(&fixture);
}

static void a_failure_names_the_probe_and_shows_the_console(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    two_probes(&fixture);
    fixture_write(&fixture, "/var/log/libvirt/qemu/dc1-console.log", "Booting\n\033[1mno space left\033[0m\n", 0644);
    struct fake_agent fake = FAKE(PONG, PID, BROKE);
    assert_int_equal(rf_health_wait(&fixture.env, &fixture.model->guests[0], &fake.agent, &error), -1);
    rf_autofree char *text = rf_error_text(error);
    assert_non_null(strstr(text, "dc1 is not healthy: cloud-init: finished with 1 error: it broke"));
    assert_non_null(strstr(text, "Booting\n[1mno space left[0m"));
    assert_non_null(strstr(text, "'virsh destroy dc1' and 'richtfest guest delete dc1 --with-its-disk'"));
    rf_error_free(error);
    rf_autojson json_t *recorded = rf_health_recorded(&fixture.model->guests[0]);
    assert_null(recorded);
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

/* It may hold years of work, and a reboot is all that it needs. */
static void nobody_is_told_to_remove_what_was_in_use(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    two_probes(&fixture);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    struct fake_agent fake = FAKE(PONG, PID, BROKE);
    assert_int_equal(rf_health_wait(&fixture.env, &fixture.model->guests[0], &fake.agent, &error), -1);
    rf_autofree char *text = rf_error_text(error);
    assert_non_null(strstr(text, "'richtfest apply --node' asks again; the end of its console"));
    assert_null(strstr(text, "delete"));
    assert_null(strstr(text, "destroy"));
    rf_error_free(error);
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

/* A member that was brought back has a machine password that its directory no longer takes: what heals it comes after this step. */
static void one_that_is_to_be_told_something_only_has_to_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    two_probes(&fixture);
    struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    struct fake_agent fake = FAKE(PONG);
    assert_int_equal(rf_health_come_up(&fixture.env, guest, &fake.agent, NULL), 0);
    rf_autojson json_t *recorded = rf_health_recorded(guest);
    assert_null(recorded); /* nobody has seen that it is healthy */
    rf_agent_free(&fake.agent);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/configured.json", "{\"digest\": \"x\"}\n", 0600);
    struct fake_agent again = FAKE(PONG, PID, BROKE);
    assert_int_equal(rf_health_come_up(&fixture.env, guest, &again.agent, NULL), -1);
    rf_agent_free(&again.agent);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_guest_is_recorded),
        cmocka_unit_test(each_probe_has_the_whole_time),
        cmocka_unit_test(a_result_that_is_missing_is_no_health),
        cmocka_unit_test(each_probe_has_its_history),
        cmocka_unit_test(a_failure_names_the_probe_and_shows_the_console),
        cmocka_unit_test(nobody_is_told_to_remove_what_was_in_use),
        cmocka_unit_test(one_that_is_to_be_told_something_only_has_to_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
