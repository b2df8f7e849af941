/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "postinstall/enrol.h"
#include "postinstall/secret.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"

/* crm, a member of dc1, with its secrets. */
static const struct rf_node_guest *open_member(struct fixture *fixture)
{
    fixture_open_with(fixture, fixture_company, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture->model->guests[1];
    assert_int_equal(rf_step_ca.apply(&fixture->env, fixture->model, NULL), 0);
    assert_int_equal(rf_step_secret.apply(&fixture->env, guest, NULL), 0);
    return guest;
}

static void the_request_is_as_agreed(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct rf_node_guest *guest = open_member(&fixture);
    rf_autojson json_t *secrets =
        json_pack("{s:s,s:s}", RF_SECRET_SERVICE, "ServicePassword", RF_SECRET_JOIN, "JoinPassword");
    rf_autojson json_t *request = rf_enrol_request(guest, secrets), *later = rf_enrol_request(guest, NULL);
    rf_autofree char *text = rf_json_text(request), *text_later = rf_json_text(later);
    rf_autofree char *both = rf_format("%s%s", text, text_later);
    assert_golden("enrol-crm.json", both);
    fixture_close(&fixture);
}

static void it_is_asked_until_it_is_done(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    const struct rf_node_guest *guest = open_member(&fixture);
    assert_int_equal(rf_step_enrol.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    struct fake_agent fake = FAKE(PID, ENDED("1", ""), PID, ENDED("0", ""));
    assert_int_equal(rf_enrol_ask(&fixture.env, guest, &fake.agent, 20, &error), 0);
    assert_int_equal(rf_step_enrol.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    rf_autojson json_t *secrets = rf_secret_load(guest);
    assert_null(strstr(fake.asked, rf_json_string(secrets, RF_SECRET_SERVICE))); /* base64 on standard input only */
    assert_non_null(strstr(fake.asked, "\"path\":\"/usr/lib/richtfest/enrol\",\"arg\":[]"));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_non_null(strstr(events, "status 1"));
    assert_null(strstr(events, rf_json_string(secrets, RF_SECRET_SERVICE)));
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

static void never_ends_it(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    const struct rf_node_guest *guest = open_member(&fixture);
    struct fake_agent fake = FAKE(PID, ENDED("2", ", \"err-data\": \"bm8K\""));
    assert_int_equal(rf_enrol_ask(&fixture.env, guest, &fake.agent, 20, &error), -1);
    assert_error(error,
                 "the directory dc1: /usr/lib/richtfest/enrol in the guest: no, status 2 (asking again does not help)");
    assert_int_equal(rf_step_enrol.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

static void what_changes_is_asked_again(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct rf_node_guest *guest = open_member(&fixture);
    struct fake_agent fake = FAKE(PID, ENDED("0", ""));
    assert_int_equal(rf_enrol_ask(&fixture.env, guest, &fake.agent, 20, NULL), 0);
    fixture_write(&fixture, RF_STATE_GUESTS "/crm/settled.json", "{}\n", 0600);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    assert_int_equal(rf_step_enrol.probe(&fixture.env, guest, NULL), RF_PROBE_DONE); /* without the passwords too */
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/born", "another\n", 0600);
    assert_int_equal(rf_step_enrol.probe(&fixture.env, guest, NULL),
                     RF_PROBE_TODO); /* a directory that was made anew */
    rf_autofree char *born = rf_format("%s" RF_STATE_GUESTS "/dc1/born", fixture.root);
    assert_int_equal(unlink(born), 0);
    assert_int_equal(rf_step_enrol.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    char **address = &fixture.model->guests[1].address;
    free(*address);
    *address = rf_strdup("10.20.0.99");
    assert_int_equal(rf_step_enrol.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_as_agreed),
        cmocka_unit_test(it_is_asked_until_it_is_done),
        cmocka_unit_test(never_ends_it),
        cmocka_unit_test(what_changes_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
