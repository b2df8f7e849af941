/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "tests/unit/postinstall/fixture.h"

#include <sys/stat.h>

static unsigned mode_of(const struct fixture *fixture, const char *path)
{
    rf_autofree char *full = rf_format("%s%s", fixture->root, path);
    struct stat status;
    assert_int_equal(stat(full, &status), 0);
    return status.st_mode & 07777;
}

static void it_is_made_once(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_step_ca.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_ca.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    assert_int_equal(mode_of(&fixture, RF_STATE_CA), 0700);
    assert_int_equal(mode_of(&fixture, RF_STATE_CA "/key.pem"), 0600);
    rf_autosecret char *key = fixture_read(&fixture, RF_STATE_CA "/key.pem");
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autosecret char *again = fixture_read(&fixture, RF_STATE_CA "/key.pem");
    assert_string_equal(key, again); /* a renewed certificate keeps its key, so what was signed stays good */
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_null(strstr(events ? events : "", "PRIVATE"));
    fixture_close(&fixture);
}

static void leftovers_of_a_kill_are_used_or_replaced(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *certificate = rf_ca_certificate_path(fixture.model);
    rf_autosecret char *key = fixture_read(&fixture, RF_STATE_CA "/key.pem");
    assert_int_equal(unlink(certificate), 0); /* killed before the certificate was there */
    assert_int_equal(rf_step_ca.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autosecret char *kept = fixture_read(&fixture, RF_STATE_CA "/key.pem");
    assert_string_equal(key, kept);
    fixture_write(&fixture, RF_STATE_CA "/key.pem", "", 0600);
    assert_int_equal(rf_step_ca.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_ca.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    fixture_write(&fixture, RF_STATE_CA "/key.pem", kept, 0644); /* another key's, and readable */
    assert_int_equal(rf_step_ca.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    fixture_close(&fixture);
}

static void it_signs(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    static const char *const hosts[] = {"dc1", NULL};
    const struct rf_certificate_request request = {
        .kind = RF_CERTIFICATE_SERVER, .name = "dc1", .hosts = hosts, .days = 825};
    rf_autofree char *certificate = NULL;
    rf_autosecret char *key = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_ca_issue(fixture.model, &request, &key, &certificate, &error), -1);
    assert_error(error, "the node's own CA is not there (/var/lib/richtfest/ca)");
    assert_false(rf_ca_good(fixture.model, "x", &request));
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_ca_issue(fixture.model, &request, &key, &certificate, &error), 0);
    assert_true(rf_ca_good(fixture.model, certificate, &request));
    assert_true(rf_certificate_matches(certificate, key));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_made_once),
        cmocka_unit_test(leftovers_of_a_kill_are_used_or_replaced),
        cmocka_unit_test(it_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
