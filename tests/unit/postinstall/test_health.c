/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/health.h"
#include "postinstall/probe.h"
#include "postinstall/probe_record.h"
#include "tests/unit/postinstall/fake_agent.h"
#include "tests/unit/postinstall/fixture.h"

/* {"v1": {"errors": []}} and {"v1": {"errors": ["it broke"]}} */
#define FINE "{\"return\": {\"exited\": true, \"exitcode\": 0, \"out-data\": \"eyJ2MSI6IHsiZXJyb3JzIjogW119fQ==\"}}"
#define BROKE                                                                                                          \
    "{\"return\": {\"exited\": true, \"exitcode\": 0, \"out-data\": "                                                  \
    "\"eyJ2MSI6IHsiZXJyb3JzIjogWyJpdCBicm9rZSJdfX0=\"}}"

static void a_program_in_the_guest_is_waited_for(void **state)
{
    (void)state;
    struct fake_agent fake =
        FAKE(PID, RUNS, "{\"return\": {\"exited\": true, \"exitcode\": 3, \"err-data\": \"bm8K\"}}");
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

static void odd_answers_of_an_agent_are_failures(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "not JSON", "{}", "{\"error\": {\"desc\": \"no\"}}", "[]"};
    for (size_t i = 0; i < RF_COUNT(odd); i++) {
        struct fake_agent fake = FAKE(odd[i]);
        assert_int_equal(rf_agent_ping(&fake.agent, 1, NULL), -1);
        rf_agent_free(&fake.agent);
    }
    struct fake_agent fake = FAKE(PID, "{\"return\": {\"exited\": true, \"out-data\": \"***\", \"signal\": 9}}");
    rf_autojson json_t *argv = json_pack("[s]", "/bin/x");
    struct rf_agent_result result = {0};
    assert_int_equal(rf_agent_exec(&fake.agent, argv, NULL, 5, &result, NULL), 0);
    assert_int_equal(result.status, 128 + 9);
    assert_string_equal(result.out, "");
    rf_agent_result_clear(&result);
    rf_agent_free(&fake.agent);
}

static enum rf_health ask(const struct rf_probe_ops *ops, struct rf_recipe_probe *probe, struct fake_agent *fake,
                          const json_t *secrets, char **ret_words)
{
    struct rf_probe_context context = {.agent = &fake->agent, .address = "127.0.0.1", .secrets = secrets};
    probe->seconds = 5;
    return ops->ask(probe, &context, ret_words);
}

static void cloud_init_is_judged_by_its_result(void **state)
{
    (void)state;
    struct rf_recipe_probe probe = {0};
#define NO "{\"return\": {\"exited\": true, \"exitcode\": 1}}"
#define YES "{\"return\": {\"exited\": true, \"exitcode\": 0}}"
    struct fake_agent fake = FAKE(PID, NO, PID, NO, PID, NO, PID, YES, PID, FINE, PID, BROKE, "");
    rf_autofree char *at_work = NULL, *off = NULL, *fine = NULL, *broke = NULL, *silent = NULL;
    assert_int_equal(ask(&rf_probe_cloud_init, &probe, &fake, NULL, &at_work), RF_HEALTH_WAITING);
    assert_int_equal(ask(&rf_probe_cloud_init, &probe, &fake, NULL, &off),
                     RF_HEALTH_OK); /* no result, but switched off */
    assert_string_equal(off, "finished at the first boot");
    assert_int_equal(ask(&rf_probe_cloud_init, &probe, &fake, NULL, &fine), RF_HEALTH_OK);
    assert_int_equal(ask(&rf_probe_cloud_init, &probe, &fake, NULL, &broke), RF_HEALTH_BROKEN);
    assert_int_equal(ask(&rf_probe_cloud_init, &probe, &fake, NULL, &silent), RF_HEALTH_WAITING);
    assert_string_equal(broke, "finished with 1 error: it broke");
    rf_agent_free(&fake.agent);
}

static void a_secret_goes_in_by_standard_input_only(void **state)
{
    (void)state;
    rf_autojson json_t *argv = json_pack("[s]", "/bin/x"), *secrets = json_pack("{s:s}", "administrator", "secret");
    struct rf_recipe_probe probe = {.argv = argv, .secret = "administrator"};
    struct fake_agent fake = FAKE(PID, "{\"return\": {\"exited\": true, \"exitcode\": 1, \"err-data\": \"bm8K\"}}");
    rf_autofree char *words = NULL;
    assert_int_equal(ask(&rf_probe_exec, &probe, &fake, secrets, &words), RF_HEALTH_WAITING);
    assert_string_equal(words, "no, status 1");
    assert_null(strstr(fake.asked, "secret\"")); /* base64 on standard input is all */
    assert_non_null(strstr(fake.asked, "\"input-data\":\"c2VjcmV0Cg==\""));
    rf_agent_free(&fake.agent);
}

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
    struct fake_agent fake = FAKE("{\"return\": {}}", PID, FINE, "{\"return\": {}}", PID, FINE);
    assert_int_equal(rf_health_wait(&fixture.env, &fixture.model->guests[0], &fake.agent, NULL), 0);
    rf_autojson json_t *recorded = rf_health_recorded(&fixture.model->guests[0]);
    assert_non_null(rf_json_string(recorded, "since"));
    assert_true(rf_health_all_ok(json_object_get(recorded, "probes")));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_non_null(strstr(events, "guest agent: answers (ok)"));
    assert_non_null(strstr(events, "cloud-init: finished without error (ok)"));
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

static json_t *results_of(const char *state, const char *words)
{
    return json_pack("[{s:s,s:s,s:s}]", "probe", "web", "state", state, "words", words);
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
    struct fake_agent fake = FAKE("{\"return\": {}}", PID, BROKE);
    assert_int_equal(rf_health_wait(&fixture.env, &fixture.model->guests[0], &fake.agent, &error), -1);
    rf_autofree char *text = rf_error_text(error);
    assert_non_null(strstr(text, "dc1 is not healthy: cloud-init: finished with 1 error: it broke"));
    assert_non_null(strstr(text, "Booting\n[1mno space left[0m"));
    rf_error_free(error);
    rf_autojson json_t *recorded = rf_health_recorded(&fixture.model->guests[0]);
    assert_null(recorded);
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

static void last_lines_are_readable(void **state)
{
    (void)state;
    rf_autofree char *last = rf_probe_last_line("one\ntwo\t\033[1m\n\n  "), *empty = rf_probe_last_line("");
    assert_string_equal(last, "two  [1m");
    assert_string_equal(empty, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_in_the_guest_is_waited_for),
        cmocka_unit_test(odd_answers_of_an_agent_are_failures),
        cmocka_unit_test(cloud_init_is_judged_by_its_result),
        cmocka_unit_test(a_secret_goes_in_by_standard_input_only),
        cmocka_unit_test(a_healthy_guest_is_recorded),
        cmocka_unit_test(each_probe_has_its_history),
        cmocka_unit_test(a_failure_names_the_probe_and_shows_the_console),
        cmocka_unit_test(last_lines_are_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
