/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/firewall.h"
#include "tests/unit/postinstall/fixture.h"

static void the_ruleset_is_as_it_was_reviewed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    struct rf_peer peer = {.name = (char *)"laptop"};
    fixture.profile->access.vpn.peers = &peer;
    fixture.profile->access.vpn.peers_count = 1;
    rf_autofree char *plain = rf_firewall_text(NULL), *all = rf_firewall_text(fixture.model);
    fixture.profile->access.vpn.peers = NULL;
    fixture.profile->access.vpn.peers_count = 0;
    assert_golden("nftables.conf", plain);
    assert_golden("nftables-company.conf", all);
    fixture_close(&fixture);
}

/* The node says nothing where it has no address; over the uplink it is as it was. */
static void networks_of_the_customer(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    rf_autofree char *text = rf_firewall_text(fixture.model);
    assert_golden("nftables-bridges.conf", text);
    fixture_close(&fixture);
}

static void nothing_is_open_that_is_not_used(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autofree char *plain = rf_firewall_text(NULL), *text = rf_firewall_text(fixture.model);
    assert_string_equal(plain, text); /* two directories: no published name, no VPN */
    fixture_close(&fixture);
}

static void it_is_written_and_loaded(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture_write(&fixture, "/etc/keep", "", 0644);
    assert_int_equal(rf_step_firewall.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_firewall.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *text = fixture_read(&fixture, RF_FIREWALL_FILE), *wanted = rf_firewall_text(fixture.model);
    assert_string_equal(text, wanted);
    /* the dry runner's kernel lists nothing, so the file alone does not count as done */
    assert_int_equal(rf_step_firewall.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    rf_autofree char *commands = without_root(&fixture, rf_runner_dry_text(fixture.runner));
    assert_string_equal(commands, "nft -f /etc/nftables.conf\nnft list table inet richtfest\n");
    fixture_close(&fixture);
}

/* Its file includes the guests' rules, which forget then which addresses the node has. */
static void what_it_loads_anew_is_told_the_nodes_addresses(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    assert_int_equal(rf_step_firewall.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *commands = without_root(&fixture, rf_runner_dry_text(fixture.runner));
    assert_non_null(strstr(commands, "nft -f /etc/nftables.conf\nnft list set bridge richtfest_guests lan_node\n"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_the_customer),
        cmocka_unit_test(the_ruleset_is_as_it_was_reviewed),
        cmocka_unit_test(nothing_is_open_that_is_not_used),
        cmocka_unit_test(it_is_written_and_loaded),
        cmocka_unit_test(what_it_loads_anew_is_told_the_nodes_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
