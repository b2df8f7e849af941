/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/secret.h"
#include "tests/unit/postinstall/fixture.h"

#define SECRETS RF_STATE_GUESTS "/dc1/secrets.json"

static void secrets_are_generated_once(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    rf_autofree char *path = rf_guest_state_path(guest, "secrets.json"), *directory = rf_guest_state_path(guest, "");
    assert_int_equal(unit_mode(path), 0600);
    assert_int_equal(unit_mode(directory), 0700);
    rf_autojson json_t *first = rf_secret_load(guest);
    assert_int_equal(strlen(rf_json_string(first, "administrator")), 20);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0); /* the guest may already have it */
    rf_autojson json_t *again = rf_secret_load(guest);
    assert_true(json_equal(first, again));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_null(strstr(events ? events : "", rf_json_string(first, "administrator")));
    assert_string_equal(rf_runner_dry_text(fixture.runner), ""); /* no command is needed, so none can show a secret */
    fixture_close(&fixture);
}

/* A recipe that got a second secret: the first one stays, because the guest may already have it. */
static void what_is_missing_is_added(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    struct rf_recipe_secret secrets[] = {{.name = (char *)"administrator", .length = 20},
                                         {.name = (char *)"backup", .length = 30}};
    rf_recipe recipe = {.secrets = secrets, .secrets_count = 2};
    struct rf_node_guest guest = fixture.model->guests[0];
    guest.recipe = &recipe;
    fixture_write(&fixture, SECRETS, "{\"administrator\": \"kept\"}", 0600);
    assert_int_equal(rf_step_secret.probe(&fixture.env, &guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, &guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, &guest, NULL), RF_PROBE_DONE);
    rf_autojson json_t *found = rf_secret_load(&guest);
    assert_string_equal(rf_json_string(found, "administrator"), "kept");
    assert_int_equal(strlen(rf_json_string(found, "backup")), 30);
    recipe.secrets_count = 0;
    assert_int_equal(rf_secret_remove(&guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, &guest, NULL), RF_PROBE_DONE); /* none are wanted */
    fixture_close(&fixture);
}

static void they_are_gone_for_good(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{}\n", 0600);
    assert_int_equal(rf_secret_remove(guest, NULL), 0);
    rf_autofree char *left = fixture_read(&fixture, SECRETS);
    assert_null(left);
    assert_null(rf_secret_load(guest));
    assert_int_equal(rf_secret_remove(guest, NULL), 0);                               /* absent is fine */
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE); /* settled: none are made again */
    rf_autofree char *path = rf_guest_state_path(guest, "secrets.json");
    assert_int_equal(rf_make_dirs(path, 0700, NULL), 0); /* what can't be removed is said */
    assert_int_equal(rf_secret_remove(guest, &error), -1);
    assert_error_has(error, "secrets.json");
    fixture_close(&fixture);
}

static void a_file_that_is_no_json_holds_none(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, SECRETS, "{", 0600);
    assert_null(rf_secret_load(guest));
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_secret.apply(&fixture.env, guest, NULL), 0);
    assert_int_equal(rf_step_secret.probe(&fixture.env, guest, NULL), RF_PROBE_DONE);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_generated_once),
        cmocka_unit_test(what_is_missing_is_added),
        cmocka_unit_test(they_are_gone_for_good),
        cmocka_unit_test(a_file_that_is_no_json_holds_none),
    };
    return cmocka_run_group_tests_name("postinstall/secret", tests, NULL, NULL);
}
