/* SPDX-License-Identifier: GPL-3.0-or-later */
/* networkd's files, and what is refused. The kernel's files lie below the fixture's root; a runner of ours plays networkd. */
#include "postinstall/bridge.h"
#include "tests/unit/postinstall/fixture.h"

#define NET "/sys/class/net/"
#define ROUTES "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

static void make_card(const struct fixture *fixture, const char *name, const char *mac)
{
    rf_autofree char *address = rf_format(NET "%s/address", name), *device = rf_format(NET "%s/device/x", name);
    rf_autofree char *line = rf_format("%s\n", mac);
    fixture_write(fixture, address, line, 0644);
    fixture_write(fixture, device, "", 0644);
}

static void open_machine(struct fixture *fixture)
{
    fixture_open_with(fixture, fixture_bridges, NULL, rf_runner_dry());
    fixture_write(fixture, RF_NETWORKD_DIR "/keep", "", 0644);
    make_card(fixture, "eth0", FIXTURE_UPLINK_MAC);
    make_card(fixture, "eth1", FIXTURE_CARD_MAC);
    fixture_write(fixture, "/proc/net/route", ROUTES "eth0\t00000000\t0971CB00\t0003\t0\t0\t100\t00000000\t0\t0\t0\n",
                  0644);
}

static void made_by_networkd(const struct fixture *fixture, const char *bridge, const char *card)
{
    rf_autofree char *there = rf_format(NET "%s/bridge/x", bridge), *port = rf_format(NET "%s/brif/%s/x", bridge, card);
    fixture_write(fixture, there, "", 0644);
    fixture_write(fixture, port, "", 0644);
}

static void the_files_are_as_they_were_reviewed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    rf_autofree char *all = NULL;
    for (size_t i = 0; i < fixture.model->bridges_count; i++) {
        struct rf_bridge_file files[RF_BRIDGE_FILES];
        rf_bridge_files(fixture.model->bridges[i].asked, fixture.profile, files);
        for (size_t k = 0; k < RF_BRIDGE_FILES; k++)
            rf_append(&all, "--- %s\n%s", files[k].path, files[k].text);
        rf_bridge_files_clear(files);
    }
    assert_golden("bridges.networkd", all);
    fixture_close(&fixture);
}

static void a_further_card_gets_its_bridge(void **state)
{
    (void)state;
    struct fixture fixture;
    open_machine(&fixture);
    const struct rf_node_bridge *bridge = &fixture.model->bridges[1];
    assert_int_equal(rf_step_bridge.probe(&fixture.env, bridge, NULL), RF_PROBE_TODO);
    made_by_networkd(&fixture, "rfb-dmz", "eth1");
    assert_int_equal(rf_step_bridge.apply(&fixture.env, bridge, NULL), 0);
    assert_int_equal(rf_step_bridge.probe(&fixture.env, bridge, NULL), RF_PROBE_DONE);
    assert_string_equal(rf_runner_dry_text(fixture.runner), "networkctl reload\n");
    rf_autojson json_t *facts = rf_bridge_facts(fixture.root);
    char wanted[RF_SHA256_HEX];
    rf_bridge_digest(bridge->asked, fixture.profile, wanted);
    assert_string_equal(rf_json_string(facts, "dmz"), wanted);
    assert_int_equal(json_object_size(facts), 1);
    fixture_close(&fixture);
}

static void the_card_that_leads_out_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    open_machine(&fixture);
    fixture_write(&fixture, "/proc/net/route", ROUTES "eth1\t00000000\t0971CB00\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
                  0644);
    assert_int_equal(rf_step_bridge.apply(&fixture.env, &fixture.model->bridges[1], &error), -1);
    assert_error_has(error, "the card eth1 (52:54:00:12:34:57) of the bridge dmz is the node's way out");
    error = NULL;
    fixture_write(&fixture, "/proc/net/route", ROUTES, 0644); /* by IPv6 only */
    fixture_write(&fixture, "/proc/net/ipv6_route",
                  "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
                  "fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth1\n",
                  0644);
    assert_int_equal(rf_step_bridge.apply(&fixture.env, &fixture.model->bridges[1], &error), -1);
    assert_error_has(error, "is the node's way out");
    assert_string_equal(rf_runner_dry_text(fixture.runner), "");
    rf_autojson json_t *facts = rf_bridge_facts(fixture.root);
    assert_int_equal(json_object_size(facts), 0); /* nothing was written */
    fixture_close(&fixture);
}

static void a_card_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    open_machine(&fixture);
    fixture_write(&fixture, NET "eth1/address", "52:54:00:00:00:01\n", 0644);
    assert_int_equal(rf_step_bridge.apply(&fixture.env, &fixture.model->bridges[1], &error), -1);
    assert_error_has(error, "no network card has the address 52:54:00:12:34:57 of the bridge dmz; there are: ");
    fixture_close(&fixture);
}

/* The way out is gone with the bridge: here, because a runner of ours takes the routes away when networkd is told. */
struct thief {
    rf_runner runner;
    struct fixture *fixture;
};

static int steal(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    struct thief *thief = (struct thief *)runner;
    (void)err;
    if (strcmp(command->argv[1], "reload") == 0)
        fixture_write(thief->fixture, "/proc/net/route", ROUTES, 0644);
    *result = (struct rf_result){.out = rf_strdup(""), .err = rf_strdup("")};
    return 0;
}

static const struct rf_runner_ops thief_ops = {"thief", steal, NULL};

static void without_a_way_out_it_is_taken_back(void **state)
{
    (void)state;
    struct fixture fixture;
    struct thief thief = {.runner = {&thief_ops}, .fixture = &fixture};
    rf_error *error = NULL;
    open_machine(&fixture);
    made_by_networkd(&fixture, "rfb-dmz", "eth1");
    struct rf_step_env env = fixture.env;
    env.runner = &thief.runner;
    assert_int_equal(rf_step_bridge.apply(&env, &fixture.model->bridges[1], &error), -1);
    assert_error_has(error, "with the bridge rfb-dmz the node has lost its way out; it was taken back");
    rf_autojson json_t *facts = rf_bridge_facts(fixture.root);
    assert_int_equal(json_object_size(facts), 0);
    fixture_close(&fixture);
}

static void the_uplinks_is_only_looked_at(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    open_machine(&fixture);
    const struct rf_node_bridge *bridge = &fixture.model->bridges[0];
    assert_int_equal(rf_step_bridge.probe(&fixture.env, bridge, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_bridge.apply(&fixture.env, bridge, &error), -1);
    assert_error_has(error, "the bridge lan over the uplink is made at the installation only");
    error = NULL;
    rf_autofree char *netdev = rf_uplink_netdev(fixture.profile), *network = rf_uplink_network(fixture.profile),
                     *itself = rf_uplink_bridge(fixture.profile);
    fixture_write(&fixture, RF_UPLINK_NETDEV, netdev, 0644);
    fixture_write(&fixture, RF_UPLINK_NETWORK, network, 0644);
    fixture_write(&fixture, RF_UPLINK_BRIDGE, itself, 0644);
    assert_int_equal(rf_step_bridge.apply(&fixture.env, bridge, &error), -1);
    assert_error_has(error, "or the card 52:54:00:12:34:56 is not in it");
    made_by_networkd(&fixture, "rfb-lan", "eth0");
    assert_int_equal(rf_step_bridge.probe(&fixture.env, bridge, NULL), RF_PROBE_DONE);
    assert_string_equal(rf_runner_dry_text(fixture.runner), "");
    fixture_close(&fixture);
}

static void old_ones_go_but_not_the_uplinks(void **state)
{
    (void)state;
    struct fixture fixture;
    open_machine(&fixture);
    made_by_networkd(&fixture, "rfb-dmz", "eth1");
    assert_int_equal(rf_step_bridge.apply(&fixture.env, &fixture.model->bridges[1], NULL), 0);
    fixture_write(&fixture, RF_UPLINK_NETDEV, "x", 0644);
    assert_int_equal(rf_step_bridges_old.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    fixture.model->bridges_count = 0; /* the profile has none any more */
    assert_int_equal(rf_step_bridges_old.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_bridges_old.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_bridges_old.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    assert_string_equal(rf_runner_dry_text(fixture.runner),
                        "networkctl reload\nnetworkctl delete rfb-dmz\nnetworkctl reload\n");
    /* and the card does not become an uplink */
    rf_autofree char *left = fixture_read(&fixture, RF_NETWORKD_DIR "/17-richtfest-left-dmz.network");
    assert_golden("bridge-left.networkd", left);
    rf_autojson json_t *facts = rf_bridge_facts(fixture.root);
    assert_non_null(rf_json_string(facts, "uplink"));
    assert_int_equal(json_object_size(facts), 1);
    fixture_close(&fixture);
}

/* A bridge that was renamed or has left the profile stays as long as guests run with a card at it. */
static void a_bridge_with_running_guests_is_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    open_machine(&fixture);
    const rf_node_model *model = fixture.model;
    const char *port = rf_node_guest_named(model, "v20")->lan_port;
    made_by_networkd(&fixture, "rfb-dmz", "eth1");
    made_by_networkd(&fixture, "rfb-dmz", port);
    made_by_networkd(&fixture, "rfb-dmz", "rfl-12345678"); /* of one that has left the profile */
    assert_int_equal(rf_step_bridge.apply(&fixture.env, &model->bridges[1], NULL), 0);
    struct rf_bridge *asked = (struct rf_bridge *)model->bridges[1].asked;
    char *name = asked->name;
    asked->name = (char *)"office";
    rf_bridge_device(asked, fixture.model->bridges[1].device);
    assert_int_equal(rf_step_bridges_old.apply(&fixture.env, model, &error), -1);
    rf_autofree char *said = rf_error_text(error);
    assert_non_null(strstr(said, "v20"));
    assert_non_null(strstr(said, "rfl-12345678"));
    assert_error_has(error, "the bridge rfb-dmz is kept, because guests run with a card at it: ");
    assert_int_equal(rf_step_bridge.apply(&fixture.env, &model->bridges[1], &error), -1);
    assert_error_has(error, "the bridge rfb-dmz is kept");
    assert_string_equal(rf_runner_dry_text(fixture.runner), "networkctl reload\n"); /* of its making */
    rf_autojson json_t *facts = rf_bridge_facts(fixture.root);
    assert_non_null(rf_json_string(facts, "dmz"));
    assert_int_equal(json_object_size(facts), 1);
    asked->name = name;
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_are_as_they_were_reviewed),  cmocka_unit_test(a_further_card_gets_its_bridge),
        cmocka_unit_test(the_card_that_leads_out_is_refused),   cmocka_unit_test(a_card_that_is_not_there_is_named),
        cmocka_unit_test(without_a_way_out_it_is_taken_back),   cmocka_unit_test(the_uplinks_is_only_looked_at),
        cmocka_unit_test(a_bridge_with_running_guests_is_kept), cmocka_unit_test(old_ones_go_but_not_the_uplinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
