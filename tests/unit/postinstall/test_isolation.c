/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of the rules; what they do with packets is tests/network/. */
#include "postinstall/isolation.h"
#include "tests/unit/postinstall/fixture.h"

#define SWITCHES "/proc/sys/net/ipv4/conf/"
#define NEIGHBOURS "/proc/sys/net/ipv4/neigh/"

static void the_rules_are_as_they_were_reviewed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    rf_autofree char *text = rf_isolation_text(fixture.model), *sysctl = rf_isolation_sysctl();
    assert_golden("richtfest-guests.nft", text);
    assert_golden("richtfest-guests-sysctl.conf", sysctl);
    fixture_close(&fixture);
}

static void guests_in_the_customers_networks(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    rf_autofree char *text = rf_isolation_text(fixture.model);
    assert_golden("richtfest-guests-bridges.nft", text);
    fixture_close(&fixture);
}

/* What was there of guests that have left the profile is mute. */
static void without_guests_it_fails_closed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    size_t count = fixture.model->guests_count;
    fixture.model->guests_count = 0;
    rf_autofree char *text = rf_isolation_text(fixture.model);
    fixture.model->guests_count = count;
    assert_golden("richtfest-guests-none.nft", text);
    fixture_close(&fixture);
}

static void a_title_can_not_be_a_rule(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    char **title = &fixture.model->guests[0].recipe->ports[0].title;
    free(*title);
    *title = rf_strdup("DNS\" accept\n# \"");
    rf_autofree char *text = rf_isolation_text(fixture.model);
    assert_null(strstr(text, "DNS\""));
    assert_null(strstr(text, "\n# \""));
    fixture_close(&fixture);
}

static void make_switches(const struct fixture *fixture)
{
    fixture_write(fixture, "/proc/sys/net/ipv4/ip_forward", "0\n", 0644);
    fixture_write(fixture, SWITCHES "all/send_redirects", "1\n", 0644);
    fixture_write(fixture, SWITCHES RF_NETWORK_BRIDGE "/send_redirects", "1\n", 0644);
    fixture_write(fixture, SWITCHES RF_NETWORK_BRIDGE "/proxy_arp_pvlan", "0\n", 0644);
    fixture_write(fixture, NEIGHBOURS RF_NETWORK_BRIDGE "/proxy_delay", "80\n", 0644);
}

static void it_is_written_loaded_and_switched_on(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    assert_int_equal(rf_step_isolation.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_isolation.apply(&fixture.env, fixture.model, &error), -1); /* there is no bridge */
    assert_error_has(error, "/ip_forward: No such file");
    make_switches(&fixture);
    assert_int_equal(rf_step_isolation.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *pvlan = fixture_read(&fixture, SWITCHES RF_NETWORK_BRIDGE "/proxy_arp_pvlan");
    rf_autofree char *redirects = fixture_read(&fixture, SWITCHES "all/send_redirects");
    assert_int_equal(pvlan[0], '1');
    assert_int_equal(redirects[0], '0');
    /* the dry runner's kernel lists nothing, so the files alone do not count as done */
    assert_int_equal(rf_step_isolation.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    rf_autofree char *commands = without_root(&fixture, rf_runner_dry_text(fixture.runner));
    assert_string_equal(commands, "nft -f /etc/nftables.d/richtfest-guests.nft\n"
                                  "nft -f /etc/nftables.d/richtfest-guests.nft\n"
                                  "nft list table inet richtfest_guests\n");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_are_as_they_were_reviewed),  cmocka_unit_test(guests_in_the_customers_networks),
        cmocka_unit_test(without_guests_it_fails_closed),       cmocka_unit_test(a_title_can_not_be_a_rule),
        cmocka_unit_test(it_is_written_loaded_and_switched_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
