/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/vpn.h"
#include "postinstall/vpn_key.h"
#include "tests/unit/postinstall/fixture.h"

#include <sys/stat.h>

#define GIVEN "jq8zTqbTJvGGcTJbWfTjpVtEWSHSkmoQvZNEXAMPLEA="

/* RFC 7748, 6.1: Alice's keys, as base64. */
static const char alice_private[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
static const char alice_public[] = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";

static struct rf_peer peers[] = {{(char *)"laptop-anna", NULL}, {(char *)"office", (char *)GIVEN}};

static void open_vpn(struct fixture *fixture, size_t count)
{
    rf_autofree char *passwd = rf_format("systemd-network:x:%u:%u::/:/usr/sbin/nologin\n", getuid(), getgid());
    fixture_open_with(fixture, fixture_company, NULL, rf_runner_dry());
    fixture_write(fixture, "/etc/passwd", passwd, 0644);
    fixture_write(fixture, "/etc/systemd/network/keep", "", 0644);
    fixture->profile->access.vpn.peers = peers;
    fixture->profile->access.vpn.peers_count = count;
}

static void close_vpn(struct fixture *fixture)
{
    fixture->profile->access.vpn.peers = NULL;
    fixture->profile->access.vpn.peers_count = 0;
    fixture_close(fixture);
}

static unsigned mode_of(const struct fixture *fixture, const char *file)
{
    rf_autofree char *path = rf_format("%s%s", fixture->root, file);
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

static void keys_are_as_the_standard_has_them(void **state)
{
    (void)state;
    char key[RF_VPN_KEY], public[RF_VPN_KEY], another[RF_VPN_KEY];
    assert_int_equal(rf_vpn_key_public(alice_private, public, NULL), 0);
    assert_string_equal(public, alice_public);
    assert_int_equal(rf_vpn_key_new(key, NULL), 0);
    assert_int_equal(rf_vpn_key_new(another, NULL), 0);
    assert_int_equal(strlen(key), 44);
    assert_string_not_equal(key, another);
    assert_int_equal(rf_vpn_key_public(key, public, NULL), 0);
    assert_int_equal(rf_vpn_key_public("", public, NULL), -1);
    assert_int_equal(rf_vpn_key_public("****************************************AAA=", public, NULL), -1);
}

static void keys_and_files_are_made_once(void **state)
{
    (void)state;
    struct fixture fixture;
    open_vpn(&fixture, 2);
    fixture_write(&fixture, RF_STATE_VPN "/node.key", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n", 0640);
    fixture_write(&fixture, RF_STATE_VPN "/laptop-anna.peer", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n", 0600);
    fixture_write(&fixture, "/sys/class/net/rf-vpn/ifindex", "7\n", 0644);
    assert_int_equal(rf_step_vpn.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_vpn.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_vpn.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    rf_autofree char *netdev = fixture_read(&fixture, RF_VPN_NETDEV), *network = fixture_read(&fixture, RF_VPN_NETWORK);
    rf_autofree char *both = rf_format("%s\n%s", netdev, network);
    assert_golden("vpn.netdev", both); /* the keys above stayed */
    assert_null(strstr(netdev, alice_private));
    assert_string_equal(rf_runner_dry_text(fixture.runner), "networkctl delete rf-vpn\nnetworkctl reload\n");
    close_vpn(&fixture);
}

static void new_keys_are_private(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    open_vpn(&fixture, 1);
    fixture_write(&fixture, "/sys/class/net/rf-vpn/ifindex", "7\n", 0644);
    rf_autosecret char *text = NULL;
    assert_int_equal(rf_vpn_peer_text(fixture.model, "laptop-anna", &text, &error), -1);
    assert_error_has(error, "the keys of laptop-anna are not there");
    assert_int_equal(rf_step_vpn.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(mode_of(&fixture, RF_STATE_VPN), 0750);
    assert_int_equal(mode_of(&fixture, RF_STATE_VPN "/node.key"), 0640);
    assert_int_equal(mode_of(&fixture, RF_STATE_VPN "/laptop-anna.peer"), 0600);
    rf_autosecret char *key = fixture_read(&fixture, RF_STATE_VPN "/laptop-anna.peer");
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    key[44] = '\0';
    assert_null(strstr(events ? events : "", key));
    assert_int_equal(rf_vpn_peer_text(fixture.model, "laptop-anna", &text, &error), 0);
    assert_non_null(strstr(text, key));
    close_vpn(&fixture);
}

static void who_leaves_is_shut_out(void **state)
{
    (void)state;
    struct fixture fixture;
    open_vpn(&fixture, 1);
    fixture_write(&fixture, "/sys/class/net/rf-vpn/ifindex", "7\n", 0644);
    fixture_write(&fixture, RF_STATE_VPN "/old-phone.peer", "x\n", 0600);
    assert_int_equal(rf_step_vpn.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(mode_of(&fixture, RF_STATE_VPN "/old-phone.peer"), 0);
    fixture.profile->access.vpn.peers_count = 0;
    assert_int_equal(rf_step_vpn.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_vpn.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(mode_of(&fixture, RF_VPN_NETDEV), 0);
    assert_int_equal(mode_of(&fixture, RF_STATE_VPN "/laptop-anna.peer"), 0);
    close_vpn(&fixture);
}

static void a_peers_configuration(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    rf_autosecret char *made = NULL, *given = NULL, *nobody = NULL;
    open_vpn(&fixture, 2);
    fixture_write(&fixture, RF_STATE_VPN "/node.key", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n", 0640);
    fixture_write(&fixture, RF_STATE_VPN "/laptop-anna.peer", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n", 0600);
    assert_int_equal(rf_vpn_peer_text(fixture.model, "laptop-anna", &made, NULL), 0);
    assert_int_equal(rf_vpn_peer_text(fixture.model, "office", &given, NULL), 0);
    rf_autofree char *both = rf_format("%s\n%s", made, given);
    assert_golden("vpn-peer.conf", both);
    assert_int_equal(rf_vpn_peer_text(fixture.model, "nobody", &nobody, &error), -1);
    assert_int_equal(rf_error_code(error), RF_USAGE);
    assert_error(error, "there is no peer 'nobody'; the profile has laptop-anna, office");
    close_vpn(&fixture);
}

/* "laptop-anna=10.…" of the addresses in networkd's file; the caller frees it. */
static char *addresses_in(const struct fixture *fixture)
{
    rf_autofree char *netdev = fixture_read(fixture, RF_VPN_NETDEV);
    char *text = NULL;
    for (const char *at = netdev; (at = strstr(at, "\n# ")); at++) {
        const char *address = strstr(at, "AllowedIPs=") + strlen("AllowedIPs=");
        rf_append(&text, "%s%.*s=%.*s", text ? " " : "", (int)strcspn(at + 3, "\n"), at + 3, (int)strcspn(address, "/"),
                  address);
    }
    return text;
}

static void assert_addresses(struct fixture *fixture, struct rf_peer *list, size_t count, const char *wanted)
{
    fixture->profile->access.vpn.peers = list;
    fixture->profile->access.vpn.peers_count = count;
    assert_int_equal(rf_step_vpn.probe(&fixture->env, fixture->model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_vpn.apply(&fixture->env, fixture->model, NULL), 0);
    assert_int_equal(rf_step_vpn.probe(&fixture->env, fixture->model, NULL), RF_PROBE_DONE);
    rf_autofree char *text = addresses_in(fixture);
    assert_string_equal(text, wanted);
}

/* It stands in a configuration that was given away. */
static void a_peer_keeps_its_address(void **state)
{
    (void)state;
    struct fixture fixture;
    struct rf_peer a = {(char *)"a", NULL}, b = {(char *)"b", (char *)GIVEN}, c = {(char *)"c", NULL};
    rf_autosecret char *text = NULL;
    open_vpn(&fixture, 0);
    fixture_write(&fixture, "/sys/class/net/rf-vpn/ifindex", "7\n", 0644);
    assert_addresses(&fixture, (struct rf_peer[]){a, b}, 2, "a=10.21.0.2 b=10.21.0.3");
    assert_addresses(&fixture, (struct rf_peer[]){c, a, b}, 3, "c=10.21.0.4 a=10.21.0.2 b=10.21.0.3");
    assert_addresses(&fixture, (struct rf_peer[]){b, c}, 2, "b=10.21.0.3 c=10.21.0.4");
    assert_int_equal(mode_of(&fixture, RF_STATE_VPN "/a.address"), 0);
    assert_int_equal(mode_of(&fixture, RF_STATE_VPN "/b.address"), 0600);
    fixture.profile->access.vpn.peers = &c;
    fixture.profile->access.vpn.peers_count = 1;
    assert_int_equal(rf_vpn_peer_text(fixture.model, "c", &text, NULL), 0);
    assert_non_null(strstr(text, "Address = 10.21.0.4/32"));
    fixture_write(&fixture, RF_STATE_VPN "/c.address", "10.99.0.4\n", 0600); /* of a former subnet */
    assert_addresses(&fixture, &c, 1, "c=10.21.0.2");
    close_vpn(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_as_the_standard_has_them),
        cmocka_unit_test(keys_and_files_are_made_once),
        cmocka_unit_test(new_keys_are_private),
        cmocka_unit_test(who_leaves_is_shut_out),
        cmocka_unit_test(a_peers_configuration),
        cmocka_unit_test(a_peer_keeps_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
