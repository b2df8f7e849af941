/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "postinstall/configure.h"
#include "postinstall/guest_tls.h"
#include "postinstall/secret.h"
#include "tests/unit/postinstall/agent.h"
#include "tests/unit/postinstall/fixture.h"

#include <openssl/evp.h>

/* dc1, as it is when it has settled. */
static struct rf_node_guest *open_settled(struct fixture *fixture)
{
    fixture_open_with(fixture, fixture_company, NULL, rf_runner_dry());
    struct rf_node_guest *guest = &fixture->model->guests[0];
    assert_int_equal(rf_step_ca.apply(&fixture->env, fixture->model, NULL), 0);
    assert_int_equal(rf_step_secret.apply(&fixture->env, guest, NULL), 0);
    assert_int_equal(rf_configure_seeded(guest, NULL), 0);
    assert_int_equal(rf_configure_settled(guest, NULL), 0);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    fixture_write(fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    return guest;
}

/* The JSON that the last program got on standard input. */
static json_t *handed_in(const struct fake_agent *fake)
{
    const char *data = strstr(fake->asked, "\"input-data\":\"");
    assert_non_null(data);
    data += strlen("\"input-data\":\"");
    rf_autofree char *encoded = rf_format("%.*s", (int)strcspn(data, "\""), data);
    rf_autofree unsigned char *plain = rf_alloc(strlen(encoded) + 1);
    assert_true(EVP_DecodeBlock(plain, (unsigned char *)encoded, (int)strlen(encoded)) > 0);
    json_t *json = json_loads((char *)plain, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(json);
    return json;
}

static void the_first_boot_was_enough(void **state)
{
    (void)state;
    struct fixture fixture;
    const struct rf_node_guest *guest = open_settled(&fixture);
    assert_int_equal(rf_step_guest_configure.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    fixture_close(&fixture);
}

static void changed_settings_are_told(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rf_node_guest *guest = open_settled(&fixture);
    json_array_append_new(json_object_get(guest->settings, "groups"), json_string("einkauf"));
    assert_int_equal(rf_step_guest_configure.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    struct fake_agent fake = FAKE(PID, ENDED("0", ""));
    assert_int_equal(rf_configure_run(&fixture.env, guest, &fake.agent, NULL), 0);
    assert_int_equal(rf_step_guest_configure.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    assert_non_null(strstr(fake.asked, "\"path\":\"/usr/lib/richtfest/configure\",\"arg\":[\"-\"]"));
    rf_autojson json_t *document = handed_in(&fake);
    assert_string_equal(rf_json_string(document, "fqdn"), "dc1.ad.musterkunde.example");
    assert_non_null(strstr(rf_json_string(document, "certificate"), "BEGIN CERTIFICATE"));
    const json_t *secrets = json_object_get(document, "security-credentials");
    assert_null(rf_json_string(secrets, RF_SECRET_TLS_KEY)); /* it has its own, and it is good */
    assert_non_null(rf_json_string(secrets, "probe"));
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

static void a_certificate_for_other_names_is_renewed(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rf_node_guest *guest = open_settled(&fixture);
    rf_autofree char *before = rf_guest_certificate(guest);
    guest->published = rf_strdup("new.musterkunde.example");
    assert_int_equal(rf_step_guest_configure.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    struct fake_agent fake = FAKE(PID, ENDED("0", ""));
    assert_int_equal(rf_configure_run(&fixture.env, guest, &fake.agent, NULL), 0);
    assert_int_equal(rf_step_guest_configure.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    rf_autojson json_t *document = handed_in(&fake);
    const char *key = rf_json_string(json_object_get(document, "security-credentials"), RF_SECRET_TLS_KEY);
    rf_autofree char *after = rf_guest_certificate(guest);
    assert_string_not_equal(before, after);
    assert_true(rf_certificate_matches(after, key));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_null(strstr(events, "PRIVATE"));
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

static void new_passwords_are_told_and_forgotten(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rf_node_guest *guest = open_settled(&fixture);
    json_array_append_new(json_object_get(guest->settings, "users"), json_pack("{s:s}", "name", "clara"));
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    struct fake_agent fake = FAKE(PID, ENDED("0", ""));
    assert_int_equal(rf_configure_run(&fixture.env, guest, &fake.agent, NULL), 0);
    rf_autojson json_t *document = handed_in(&fake), *pending = rf_secret_pending(guest);
    assert_non_null(rf_json_string(json_object_get(document, "security-credentials"), "user.clara"));
    assert_null(pending);
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

static void a_failure_leaves_it_to_be_done(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    struct rf_node_guest *guest = open_settled(&fixture);
    rf_autofree char *before = rf_guest_certificate(guest);
    guest->published = rf_strdup("new.musterkunde.example");
    struct fake_agent fake = FAKE(PID, ENDED("2", ""));
    assert_int_equal(rf_configure_run(&fixture.env, guest, &fake.agent, &error), -1);
    assert_error(error,
                 "configuring dc1: /usr/lib/richtfest/configure in the guest: status 2 (asking again does not help)");
    assert_int_equal(rf_step_guest_configure.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    rf_autofree char *after = rf_guest_certificate(guest);
    assert_string_equal(before, after);
    rf_agent_free(&fake.agent);
    fixture_close(&fixture);
}

/* What fails is tried again every hour, and each snapshot of a running guest holds its memory: three failures pushed every older one out. */
static void a_failure_that_is_tried_again_costs_one_snapshot(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rf_node_guest *guest = open_settled(&fixture);
    rf_autodomain virDomainPtr domain = virDomainDefineXML(
        rf_libvirt_connect(fixture.model->libvirt, NULL),
        "<domain type='test'><name>dc1</name><memory>4096</memory><os><type>hvm</type></os></domain>");
    assert_non_null(domain);
    guest->recipe->health_seconds = 0;
    for (size_t group = 0; group < 2; group++) { /* another change, another restore point */
        json_array_append_new(json_object_get(guest->settings, "groups"), json_string(group ? "lager" : "einkauf"));
        for (size_t i = 0; i < 2; i++) {
            sleep(group || i); /* the names hold the second */
            assert_int_equal(rf_step_guest_configure.apply(&fixture.env, guest, NULL), -1); /* the mock has no agent */
        }
        assert_int_equal(virDomainSnapshotNum(domain, 0), group + 1);
    }
    virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_boot_was_enough),
        cmocka_unit_test(changed_settings_are_told),
        cmocka_unit_test(a_certificate_for_other_names_is_renewed),
        cmocka_unit_test(new_passwords_are_told_and_forgotten),
        cmocka_unit_test(a_failure_leaves_it_to_be_done),
        cmocka_unit_test(a_failure_that_is_tried_again_costs_one_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
