/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "postinstall/description.h"
#include "postinstall/secret.h"
#include "postinstall/seed.h"
#include "tests/unit/postinstall/fixture.h"

static void the_texts_are_as_they_were_reviewed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autojson json_t *secrets = json_pack("{s:s}", "administrator", "NotTheRealPassword1");
    rf_autosecret char *meta = rf_seed_meta_data(&fixture.model->guests[0], "CA\n", "CERTIFICATE\n", secrets);
    rf_autofree char *network = rf_seed_network_config(&fixture.model->guests[0]);
    assert_golden("seed-dc1-meta-data.json", meta);
    assert_golden("seed-dc1-network-config.json", network);
    fixture_close(&fixture);
}

static void a_member_knows_its_directory(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    rf_autosecret char *member = rf_seed_meta_data(&fixture.model->guests[1], NULL, NULL, NULL);
    rf_autosecret char *alone = rf_seed_meta_data(&fixture.model->guests[3], NULL, NULL, NULL);
    assert_golden("seed-crm-meta-data.json", member);
    assert_golden("seed-shop-meta-data.json", alone);
    fixture_close(&fixture);
}

static void the_seed_holds_the_texts_and_nobody_else_reads_it(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_seed.apply(&fixture.env, guest, &error), -1); /* nothing to be seeded yet */
    assert_error(error, "the seed of dc1: its certificate is not there");
    assert_int_equal(rf_step_ca.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    assert_int_equal(rf_step_seed.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_seed.apply(&fixture.env, guest, &error), 0);
    assert_int_equal(rf_step_seed.apply(&fixture.env, guest, &error), 0);
    assert_int_equal(rf_step_seed.verify(&fixture.env, guest, &error), 0);
    rf_autofree char *seed = rf_guest_seed_path(guest), *image = NULL;
    size_t size = 0;
    assert_int_equal(unit_mode(seed), 0600);
    assert_int_equal(rf_read_file(seed, 1U << 22, &image, &size, NULL), 0);
    assert_memory_equal(image + 16 * 2048, "\1CD001\1", 7); /* ECMA-119, 8.4: the primary volume descriptor */
    assert_memory_equal(image + 16 * 2048 + 40, "cidata ", 7);
    rf_autojson json_t *secrets = rf_secret_load(guest);
    const char *password = rf_json_string(secrets, "administrator");
    assert_non_null(memmem(image, size, password, strlen(password)));
    assert_non_null(memmem(image, size, "PRIVATE KEY", 11));
    assert_non_null(memmem(image, size, "## template: jinja", 18));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_null(strstr(events ? events : "", password));
    assert_string_equal(rf_runner_dry_text(fixture.runner), ""); /* no command is needed, so none can show a secret */
    fixture_close(&fixture);
}

static void a_settled_guest_needs_none(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_step_seed.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    fixture_close(&fixture);
}

/* The guest itself sets up its second card: cloud-init's network is the node's. */
static void a_guest_is_told_of_its_second_card(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_bridges, NULL, rf_runner_dry());
    rf_autojson json_t *none = rf_description(&fixture.model->guests[0]);
    rf_autojson json_t *fixed = rf_description(&fixture.model->guests[1]);
    rf_autojson json_t *dhcp = rf_description(&fixture.model->guests[2]);
    const json_t *lan = json_object_get(fixed, "lan");
    assert_null(json_object_get(none, "lan"));
    assert_string_equal(rf_json_string(lan, "mac"), fixture.model->guests[1].lan_mac);
    assert_string_equal(rf_json_string(lan, "address"), "203.0.113.5/24");
    assert_string_equal(rf_json_string(lan, "gateway"), "203.0.113.9");
    assert_int_equal(json_object_size(json_object_get(dhcp, "lan")), 1);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_is_told_of_its_second_card),
        cmocka_unit_test(the_texts_are_as_they_were_reviewed),
        cmocka_unit_test(a_member_knows_its_directory),
        cmocka_unit_test(the_seed_holds_the_texts_and_nobody_else_reads_it),
        cmocka_unit_test(a_settled_guest_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
