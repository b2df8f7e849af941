/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/domain.h"
#include "postinstall/network.h"
#include "postinstall/status.h"
#include "tests/unit/postinstall/fixture.h"
#include "tests/unit/postinstall/libvirt_faults.h"

static void status_tells_what_is_not_there(void **state)
{
    (void)state;
    rf_autoprofile rf_profile *profile = fixture_profile(fixture_guests);
    rf_autofree char *root = unit_directory();
    struct rf_node_options options = {
        .recipes_dir = RECIPES, .root = root, .uri = "qemu+unix:///system?socket=/nonexistent"};
    rf_autojson json_t *status = rf_node_status_json(profile, &options, NULL);
    rf_autofree char *text = rf_node_status_text(status);
    assert_non_null(strstr(text, "no connection to libvirt"));
    assert_non_null(strstr(text, "dc1          active-directory   unknown      10.20.0.10      not healthy"));
    rf_remove_tree(root, NULL);
}

static void the_status_table_is_as_it_was_reviewed(void **state)
{
    (void)state;
    rf_autojson json_t *status = rf_json_load(GOLDEN "status.json", 65536, NULL);
    assert_non_null(status);
    rf_autofree char *text = rf_node_status_text(status);
    assert_golden("status.txt", text);
}

static json_t *status_of(const struct fixture *fixture)
{
    const struct rf_node_options options = {.recipes_dir = RECIPES, .root = fixture->root, .uri = "test:///default"};
    rf_error *error = NULL;
    json_t *status = rf_node_status_json(fixture->profile, &options, &error);
    assert_null(error);
    assert_non_null(status);
    return status;
}

static bool flag(const json_t *status, const char *part, const char *key)
{
    return json_is_true(json_object_get(json_object_get(status, part), key));
}

/* libvirt's mock stands for the node: nothing is there, then a network and a guest that does not run. (It finds no pool by its
 * path.) */
static void status_follows_the_node(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autojson json_t *facts = json_pack("{s:b}", "kvm", 0);
    fixture_open(&fixture, facts, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    rf_autojson json_t *before = status_of(&fixture);
    assert_string_equal(rf_json_string(before, "libvirt"), "reachable");
    assert_false(flag(before, "network", "active"));
    assert_false(flag(before, "pool", "active"));
    const json_t *first = json_array_get(json_object_get(before, "guests"), 0);
    assert_string_equal(rf_json_string(first, "state"), "not defined");
    assert_null(rf_json_string(first, "handover"));
    *faults() = (struct faults){.lookup = true};
    rf_autojson json_t *mute = status_of(&fixture);
    *faults() = (struct faults){0};
    first = json_array_get(json_object_get(mute, "guests"), 0);
    assert_string_equal(rf_json_string(first, "state"), "unknown");

    assert_int_equal(rf_step_network.apply(&fixture.env, fixture.model, NULL), 0);
    const bool defined = rf_step_domain.apply(&fixture.env, guest, NULL) == 0; /* not on every release */
    fixture_write(&fixture, RF_STATE_HANDOVER "/dc1.age", "x", 0600);
    rf_autojson json_t *after = status_of(&fixture);
    assert_true(flag(after, "network", "active"));
    first = json_array_get(json_object_get(after, "guests"), 0);
    if (defined)
        assert_string_equal(rf_json_string(first, "state"), "shut off");
    assert_string_equal(rf_json_string(first, "fqdn"), "dc1.ad.musterkunde.example");
    assert_false(json_is_true(json_object_get(first, "healthy"))); /* what does not run is asked nothing */
    assert_int_equal(json_array_size(json_object_get(first, "probes")), 0);
    rf_autofree char *handover = without_root(&fixture, rf_json_string(first, "handover"));
    assert_string_equal(handover, RF_STATE_HANDOVER "/dc1.age");
    assert_int_equal(json_array_size(json_object_get(after, "guests")), 2);
    fixture_close(&fixture);
}

/* Nobody learned that browsers warn: the probe takes both CAs, and the guest was just healthy. */
static void acme_that_never_came_is_said(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    rf_autojson json_t *before = status_of(&fixture);
    const json_t *guests = json_object_get(before, "guests");
    assert_null(json_object_get(json_array_get(guests, 0), "own_ca"));
    assert_true(json_is_true(json_object_get(json_array_get(guests, 1), "own_ca")));
    fixture.profile->access.tls = RF_TLS_OWN;
    rf_autojson json_t *own = status_of(&fixture);
    assert_null(json_object_get(json_array_get(json_object_get(own, "guests"), 1), "own_ca")); /* as it was asked for */
    fixture_close(&fixture);
}

static void a_profile_that_does_not_fit_is_said(void **state)
{
    (void)state;
    rf_autoprofile rf_profile *profile = fixture_profile("  - {name: a, recipe: active-directory}\n");
    const struct rf_node_options options = {.recipes_dir = RECIPES, .uri = "test:///default"};
    rf_error *error = NULL;
    assert_null(rf_node_status_json(profile, &options, &error));
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    assert_error_has(error, "guests[0].settings.realm: this setting is missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_tells_what_is_not_there),
        cmocka_unit_test(the_status_table_is_as_it_was_reviewed),
        cmocka_unit_test(status_follows_the_node),
        cmocka_unit_test(acme_that_never_came_is_said),
        cmocka_unit_test(a_profile_that_does_not_fit_is_said),
    };
    return cmocka_run_group_tests_name("postinstall/status", tests, NULL, NULL);
}
