/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/network.h"
#include "tests/unit/postinstall/fixture.h"

static void the_network_is_as_it_was_reviewed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autoxml xmlDoc *document = rf_network_xml(fixture.model);
    rf_autofree char *text = rf_xml_text(document);
    assert_golden("network-guests.xml", text);
    fixture_close(&fixture);
}

static void what_libvirt_adds_does_not_matter(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autoxml xmlDoc *document = rf_network_xml(fixture.model);
    rf_autofree char *text = rf_xml_text(document);
    assert_true(rf_network_same(fixture.model, text));
    xmlNode *root = rf_xml_root(document);
    xmlNewProp(root, (const xmlChar *)"connections", (const xmlChar *)"1");
    rf_xml_add(rf_xml_add(rf_xml_child(root, "forward"), "nat", NULL), "port", "start", "1024", "end", "65535", NULL);
    rf_autofree char *grown = rf_xml_text(document);
    assert_true(rf_network_same(fixture.model, grown));
    fixture_close(&fixture);
}

static void differences_are_seen(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autoxml xmlDoc *document = rf_network_xml(fixture.model);
    xmlNode *dhcp = rf_xml_child(rf_xml_child(rf_xml_root(document), "ip"), "dhcp");
    rf_xml_add(dhcp, "host", "mac", "52:54:00:00:00:01", "ip", "10.20.0.99", NULL);
    rf_autofree char *more = rf_xml_text(document);
    assert_false(rf_network_same(fixture.model, more)); /* a guest that the profile no longer has */
    assert_false(rf_network_same(fixture.model, "<network><name>guests</name></network>"));
    assert_false(rf_network_same(fixture.model, "no XML"));
    fixture_close(&fixture);
}

static void the_step_converges(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_step_network.probe(&fixture.env, fixture.model, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, &error), 0);
    assert_int_equal(rf_step_network.probe(&fixture.env, fixture.model, &error), RF_PROBE_DONE);
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, &error), 0); /* repeated */
    assert_int_equal(rf_step_network.probe(&fixture.env, fixture.model, &error), RF_PROBE_DONE);
    fixture_close(&fixture);
}

static void a_stopped_network_is_started_again(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, &error), 0);
    virConnectPtr connection = rf_libvirt_connect(fixture.model->libvirt, &error);
    {
        rf_autonetwork virNetworkPtr network = virNetworkLookupByName(connection, RF_NETWORK_NAME);
        assert_int_equal(virNetworkDestroy(network), 0);
    }
    assert_int_equal(rf_step_network.probe(&fixture.env, fixture.model, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, &error), 0);
    assert_int_equal(rf_step_network.probe(&fixture.env, fixture.model, &error), RF_PROBE_DONE);
    fixture_close(&fixture);
}

static char *live_xml(const struct fixture *fixture)
{
    virConnectPtr connection = rf_libvirt_connect(fixture->model->libvirt, NULL);
    rf_autonetwork virNetworkPtr network = virNetworkLookupByName(connection, RF_NETWORK_NAME);
    return virNetworkGetXMLDesc(network, 0);
}

static void a_company_has_all_its_names(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    rf_autoxml xmlDoc *document = rf_network_xml(fixture.model);
    rf_autofree char *text = rf_xml_text(document);
    assert_golden("network-company.xml", text);
    fixture_close(&fixture);
}

static void hosts_come_and_go_without_a_restart(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    fixture.model->guests_count = 3; /* shop is not there yet */
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, NULL), 0);
    fixture.model->guests_count = 4;
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *more = live_xml(&fixture);
    assert_non_null(strstr(more, "shop.musterkunde.example"));
    assert_non_null(strstr(more, "10.20.0.40"));
    fixture.model->guests_count = 3;
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *less = live_xml(&fixture);
    assert_null(strstr(less, "shop"));
    assert_string_equal(rf_runner_dry_text(fixture.runner), "");
    fixture.model->guests_count = 4;
    fixture_close(&fixture);
}

/* The mock has a running domain of its own; but unlike libvirt it keeps a network's old definition when that is stopped. */
static void what_can_not_be_added_restarts_it(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    char *zone = fixture.model->guests[1].zone;
    fixture.model->guests[1].zone = NULL;
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, NULL), 0);
    fixture.model->guests[1].zone = zone;
    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, NULL), 0);
    assert_string_equal(rf_runner_dry_text(fixture.runner), "systemctl try-restart libvirtd.service\n");
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_non_null(strstr(events, "without their network for a few seconds"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_is_as_it_was_reviewed),
        cmocka_unit_test(what_libvirt_adds_does_not_matter),
        cmocka_unit_test(differences_are_seen),
        cmocka_unit_test(the_step_converges),
        cmocka_unit_test(a_stopped_network_is_started_again),
        cmocka_unit_test(a_company_has_all_its_names),
        cmocka_unit_test(hosts_come_and_go_without_a_restart),
        cmocka_unit_test(what_can_not_be_added_restarts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
