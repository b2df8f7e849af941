/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of the rules; what they do with packets is tests/network/. */
#include "postinstall/isolation.h"
#include "postinstall/isolation_lan.h"
#include "tests/unit/postinstall/fixture.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

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

/* "10.0.0.5, 203.0.113.1": of the machine that runs this; "" where it has none. The caller frees it. */
static char *own_addresses(void)
{
    struct ifaddrs *list;
    char *text = rf_strdup(""), one[INET_ADDRSTRLEN];
    assert_int_equal(getifaddrs(&list), 0);
    for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET || (at->ifa_flags & IFF_LOOPBACK))
            continue;
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)at->ifa_addr)->sin_addr, one, sizeof(one));
        rf_append(&text, "%s%s", *text ? ", " : "", one);
    }
    freeifaddrs(list);
    return text;
}

/* The profile gives a guest an address that the node turns out to have. */
static void the_nodes_own_address_is_no_guests(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    rf_autofree char *own = own_addresses();
    if (!*own)
        skip();
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    make_switches(&fixture);
    struct rf_guest *pbx = (struct rf_guest *)rf_node_guest_named(fixture.model, "pbx")->asked;
    char *before = pbx->lan.address;
    assert_int_equal(rf_step_isolation.apply(&fixture.env, fixture.model, NULL), 0);
    pbx->lan.address = rf_format("%.*s/24", (int)strcspn(own, ","), own);
    assert_int_equal(rf_step_isolation.apply(&fixture.env, fixture.model, &error),
                     0); /* all guests stayed down for it */
    assert_int_equal(rf_step_lan_addresses.probe(&fixture.env, fixture.model, &error), RF_PROBE_ERROR);
    free(pbx->lan.address);
    pbx->lan.address = before;
    assert_error_has(error, "lan.address of pbx is ");
    assert_int_equal(rf_step_lan_addresses.probe(&fixture.env, fixture.model, &error), RF_PROBE_DONE);
    rf_autofree char *commands = without_root(&fixture, rf_runner_dry_text(fixture.runner));
    assert_non_null(strstr(commands, "nft add element bridge richtfest_guests lan_node "));
    fixture_close(&fixture);
}

/* A kernel that has the tables, with these addresses of the node's. */
struct kernel {
    rf_runner runner;
    const char *tables, *addresses; /* NULL: no such set */
};

static int answer(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    const struct kernel *kernel = (const struct kernel *)runner;
    (void)err;
    const bool set = strcmp(command->argv[2], "set") == 0;
    *result = (struct rf_result){.status = set && !kernel->addresses, .err = rf_strdup("")};
    result->out = !set                ? rf_strdup(kernel->tables)
                  : kernel->addresses ? rf_format("set lan_node {\n\telements = { %s }\n}\n", kernel->addresses)
                                      : rf_strdup("");
    return 0;
}

static const struct rf_runner_ops kernel_ops = {"kernel", answer, NULL};

/* Whatever loads the file anew (nftables.service, the firewall's step) empties the set: then there is something to do. */
static void rules_that_do_not_know_the_node_are_not_done(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autofree char *own = own_addresses();
    if (!*own)
        skip();
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    make_switches(&fixture);
    assert_int_equal(rf_step_isolation.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *text = rf_isolation_text(fixture.model), *longer = rf_format("1%s", own);
    struct kernel kernel = {.runner = {&kernel_ops}, .tables = text};
    struct rf_step_env env = fixture.env;
    env.runner = &kernel.runner;
    assert_int_equal(rf_step_isolation.probe(&env, fixture.model, NULL), RF_PROBE_TODO);
    kernel.addresses = "192.0.2.1";
    assert_int_equal(rf_step_isolation.probe(&env, fixture.model, NULL), RF_PROBE_TODO);
    kernel.addresses = longer;
    assert_int_equal(rf_step_isolation.probe(&env, fixture.model, NULL), RF_PROBE_TODO);
    kernel.addresses = own;
    assert_int_equal(rf_step_isolation.probe(&env, fixture.model, NULL), RF_PROBE_DONE);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_are_as_they_were_reviewed),
        cmocka_unit_test(guests_in_the_customers_networks),
        cmocka_unit_test(without_guests_it_fails_closed),
        cmocka_unit_test(a_title_can_not_be_a_rule),
        cmocka_unit_test(it_is_written_loaded_and_switched_on),
        cmocka_unit_test(the_nodes_own_address_is_no_guests),
        cmocka_unit_test(rules_that_do_not_know_the_node_are_not_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
