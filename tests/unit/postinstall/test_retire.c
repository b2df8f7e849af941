/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/domain.h"
#include "postinstall/facts.h"
#include "postinstall/retire.h"
#include "tests/unit/postinstall/fixture.h"
#include "tests/unit/postinstall/libvirt_faults.h"

#define ONE "  - {name: dc1, recipe: active-directory, settings: {realm: A.B}}\n"

/* A domain of libvirt's mock that carries our mark. */
static virDomainPtr define(virConnectPtr connection, const char *name)
{
    rf_autofree char *xml =
        rf_format("<domain type='test'><name>%s</name><memory>1024</memory><os><type>hvm</type></os>"
                  "<metadata><r:guest xmlns:r='urn:richtfest:guest:1' digest='x'/></metadata></domain>",
                  name);
    virDomainPtr domain = virDomainDefineXML(connection, xml);
    assert_non_null(domain);
    return domain;
}

static void it_is_shut_down_and_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    rf_autojson json_t *facts =
        json_pack("{s:{s:{s:s},s:{s:s},s:{}}}", "guests", "old", "digest", "x", "dc1", "digest", "x", "by-hand");
    fixture_open_with(&fixture, ONE, facts, rf_runner_dry());
    assert_int_equal(fixture.model->retired_count, 1); /* neither the profile's guest nor somebody else's domain */
    const struct rf_node_retired *retired = &fixture.model->retired[0];
    assert_string_equal(retired->name, "old");
    assert_int_equal(rf_step_retire.probe(&fixture.env, retired, &error), RF_PROBE_DONE); /* it is not there at all */
    virConnectPtr connection = rf_libvirt_connect(fixture.model->libvirt, &error);
    rf_autodomain virDomainPtr domain = define(connection, "old");
    assert_true(rf_domain_ours(domain));
    assert_int_equal(virDomainCreate(domain), 0);
    assert_int_equal(virDomainSetAutostart(domain, 1), 0);
    assert_int_equal(rf_step_retire.probe(&fixture.env, retired, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_retire.apply(&fixture.env, retired, &error), 0);
    assert_int_equal(rf_step_retire.probe(&fixture.env, retired, &error), RF_PROBE_DONE);
    assert_int_equal(virDomainIsActive(domain), 0); /* and it is still defined */
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

static void a_domain_of_somebody_else_is_not_ours(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, ONE, NULL, rf_runner_dry());
    virConnectPtr connection = rf_libvirt_connect(fixture.model->libvirt, NULL);
    rf_autodomain virDomainPtr domain = virDomainLookupByName(connection, "test"); /* the mock's own */
    assert_false(rf_domain_ours(domain));
    fixture_close(&fixture);
}

/* Taken for absent or shut off it would count as retired, and start with the node again. */
static void what_libvirt_cannot_say_is_an_error(void **state)
{
    (void)state;
    static const struct faults kinds[] = {{.lookup = true}, {.active = true}};
    static const char *const words[] = {"whether there is a guest 'old' could not be asked",
                                        "whether old is running could not be asked"};
    struct fixture fixture;
    rf_error *error = NULL;
    rf_autojson json_t *facts = json_pack("{s:{s:{s:s}}}", "guests", "old", "digest", "x");
    fixture_open_with(&fixture, ONE, facts, rf_runner_dry());
    const struct rf_node_retired *retired = &fixture.model->retired[0];
    rf_autodomain virDomainPtr domain = define(rf_libvirt_connect(fixture.model->libvirt, NULL), "old");
    assert_int_equal(virDomainCreate(domain), 0);
    for (size_t i = 0; i < RF_COUNT(kinds); i++) {
        *faults() = kinds[i];
        assert_int_equal(rf_step_retire.probe(&fixture.env, retired, &error), RF_PROBE_ERROR);
        assert_error_has(error, words[i]);
        assert_int_equal(rf_step_retire.apply(&fixture.env, retired, &error), -1);
        assert_error_has(error, words[i]);
    }
    *faults() = (struct faults){0};
    assert_int_equal(virDomainIsActive(domain), 1);
    virDomainDestroy(domain);
    virDomainUndefine(domain);
    fixture_close(&fixture);
}

static void one_that_was_deleted_meanwhile_is_no_error(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_pack("{s:{s:{s:s}}}", "guests", "old", "digest", "x");
    fixture_open_with(&fixture, ONE, facts, rf_runner_dry());
    assert_int_equal(rf_step_retire.apply(&fixture.env, &fixture.model->retired[0], NULL), 0);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_shut_down_and_kept),
        cmocka_unit_test(a_domain_of_somebody_else_is_not_ours),
        cmocka_unit_test(what_libvirt_cannot_say_is_an_error),
        cmocka_unit_test(one_that_was_deleted_meanwhile_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
