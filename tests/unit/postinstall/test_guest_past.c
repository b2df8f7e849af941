/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/domain.h"
#include "postinstall/facts.h"
#include "postinstall/guest_past.h"
#include "tests/unit/postinstall/fixture.h"

/* The problems of fixture_guests on a node with this past; "" for none. The caller frees it. */
static char *problems_with(const char *past)
{
    rf_profile *profile = fixture_profile(fixture_guests);
    rf_autojson json_t *known = json_loads(past, 0, NULL), *facts = json_pack("{s:O}", "past", known);
    const struct rf_node_options options = {.recipes_dir = RECIPES, .root = "/nowhere", .uri = "test:///default"};
    rf_autoproblems rf_problems problems = {0};
    rf_autonodemodel rf_node_model *model = rf_node_model_new(profile, facts, &options, &problems);
    assert_int_equal(model == NULL, problems.count > 0);
    rf_profile_free(profile);
    return problems.count ? rf_problems_text(&problems) : rf_strdup("");
}

static void what_it_is_still_is_no_problem(void **state)
{
    (void)state;
    rf_autofree char *same = problems_with("{\"dc1\": {\"recipe\": \"active-directory\", \"zone\": "
                                           "\"ad.musterkunde.example\"}, \"gone\": {\"recipe\": \"crm\"}}");
    rf_autofree char *older = problems_with("{\"dc1\": {\"recipe\": \"active-directory\"}}");
    assert_string_equal(same, "");
    assert_string_equal(older, "");
}

/* The logins of a whole company went: the node sent its questions for the new name to a directory that never heard of it. */
static void another_domain_is_refused(void **state)
{
    (void)state;
    rf_autofree char *text = problems_with("{\"dc1\": {\"zone\": \"ad.other.example\"}}");
    assert_non_null(
        strstr(text, "dc1 holds the domain ad.other.example on this node; a domain's name can't be changed"));
    assert_non_null(strstr(text, "test.yaml:16:")); /* the guest's own line */
}

static void another_recipe_is_refused(void **state)
{
    (void)state;
    rf_autofree char *text = problems_with("{\"dc2\": {\"recipe\": \"tryton\"}}");
    assert_non_null(strstr(text, "guests[1].recipe: dc2 was set up with the recipe 'tryton' on this node"));
}

/* From its definition on; only one that has settled has a past. */
static void the_past_is_in_the_facts(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    const struct rf_node_options options = {.root = fixture.root, .uri = "test:///default"};
    assert_false(rf_guest_zone_kept(guest));
    rf_step_domain.apply(&fixture.env, guest, NULL); /* the mock takes no definition of ours */
    assert_true(rf_guest_zone_kept(guest));
    rf_autojson json_t *before = rf_node_facts(&options);
    assert_int_equal(json_object_size(json_object_get(before, "past")), 0);
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/settled.json", "{\"recipe\": \"active-directory\"}", 0600);
    rf_autojson json_t *after = rf_node_facts(&options);
    rf_autofree char *known = json_dumps(json_object_get(after, "past"), 0);
    assert_string_equal(known, "{\"dc1\": {\"recipe\": \"active-directory\", \"zone\": \"ad.musterkunde.example\"}}");
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/zone", "ad.other.example\n", 0600);
    assert_false(rf_guest_zone_kept(guest));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_is_still_is_no_problem),
        cmocka_unit_test(another_domain_is_refused),
        cmocka_unit_test(another_recipe_is_refused),
        cmocka_unit_test(the_past_is_in_the_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
