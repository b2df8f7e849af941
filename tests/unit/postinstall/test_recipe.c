/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/recipe.h"
#include "tests/unit/postinstall/fixture.h"

static const char good[] = "recipe: 1\n"
                           "title: A test\n"
                           "image: {file: test.qcow2}\n"
                           "defaults: {memory: 1 GB, disk: 10 GB}\n"
                           "settings:\n"
                           "  realm: {type: realm, title: the realm, required: true}\n"
                           "health: {probes: [{name: agent, type: agent}]}\n";

/* All problems of a recipe's text. */
static char *problems_of(const char *text)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autorecipe rf_recipe *recipe = rf_recipe_parse("recipe.yaml", "/x", "test", text, strlen(text), &problems);
    assert_int_equal(recipe == NULL, problems.count > 0);
    return rf_problems_text(&problems);
}

static void assert_says(const char *text, const char *expected)
{
    rf_autofree char *said = problems_of(text);
    if (!strstr(said, expected))
        fail_msg("\"%s\" does not say \"%s\"", said, expected);
}

static void the_shipped_recipe_is_read(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autorecipe rf_recipe *recipe = rf_recipe_load(RECIPES, "active-directory", &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    if (!recipe)
        fail_msg("%s", said);
    assert_string_equal(recipe->image, "active-directory.qcow2");
    assert_true(json_array_size(recipe->image_packages) > 5);
    assert_int_equal(recipe->secrets_count, 1);
    assert_true(recipe->probes_count >= 5);
    assert_string_equal(recipe->zone, "realm");
}

static void defaults_are_filled_in(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autorecipe rf_recipe *recipe = rf_recipe_parse("recipe.yaml", "/x", "test", good, strlen(good), &problems);
    assert_non_null(recipe);
    assert_int_equal(recipe->defaults.cores, 1);
    assert_int_equal(recipe->health_seconds, 900);
    assert_int_equal(recipe->probes[0].seconds, 30);
}

static void mistakes_are_said_with_their_place(void **state)
{
    (void)state;
    assert_says("recipe: 1\nhelth: {}\n", "recipe.yaml:2:1: error: helth: unknown key; did you mean 'health'?");
    assert_says("recipe: 2\n", "recipe.yaml:1:9: error: recipe: this program reads recipes of version 1");
    assert_says("recipe: 1\ndefaults: 5\n",
                "recipe.yaml:2:11: error: defaults: a mapping (key: value) is expected here");
    assert_says("recipe: 1\ndefaults: {memory: 5}\n", "recipe.yaml:2:20: error: defaults.memory: ");
    assert_says("recipe: 1\nimage: {file: ../x}\n",
                "recipe.yaml:2:15: error: image.file: '../x' must be a plain file name");
    assert_says("recipe: 1\nsettings: {a: {type: colour, title: t}}\n",
                "recipe.yaml:2:22: error: settings.a.type: unknown type 'colour'; there are boolean, host");
    assert_says("recipe: 1\nsecrets: {a: {title: t, length: 4}}\n", "secrets.a.length: a password shorter than 12");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: ping}]}\n",
                "recipe.yaml:2:35: error: health.probes[0].type: unknown probe 'ping'; there are agent, cloud_init");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: exec}]}\n", "a probe of type exec needs 'argv'");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: dns_srv, service: _a._tcp, zone: z}]}\n",
                "there is no setting 'z'");
    assert_says("recipe: 1\nzone: nowhere\n", "zone: there is no setting 'nowhere'");
    assert_says("recipe: 1\nhealth: {}\n", "a recipe needs at least one probe");
    assert_says("- a\n", "a mapping (key: value) is expected here");
    assert_says("a: [\n", "recipe.yaml:");
    assert_says("", "recipe.yaml");
}

/* The profile's problems with these guests; empty where there are none. */
static char *check(const char *guests)
{
    rf_autoprofile rf_profile *profile = fixture_profile(guests);
    rf_autoproblems rf_problems problems = {0};
    rf_guests_check(profile, RECIPES, &problems);
    return rf_problems_text(&problems);
}

static void assert_check(const char *guests, const char *expected)
{
    rf_autofree char *said = check(guests);
    if (!strstr(said, expected))
        fail_msg("\"%s\" does not say \"%s\"", said, expected);
}

static void guests_are_checked_against_their_recipe(void **state)
{
    (void)state;
    rf_autofree char *nothing = check(fixture_guests);
    assert_string_equal(nothing, "");
    assert_check("  - {name: a, recipe: activ-directory, settings: {realm: A.B}}\n",
                 "test.yaml:16:5: error: guests[0].recipe: there is no recipe 'activ-directory'; did you mean "
                 "'active-directory'?");
    assert_check("  - {name: a, recipe: toaster}\n", "there is no recipe 'toaster'; there are: active-directory");
    assert_check("  - {name: a, recipe: active-directory}\n", "guests[0].settings.realm: this setting is missing");
    assert_check("  - {name: a, recipe: active-directory, settings: {relm: A.B, realm: A.B}}\n",
                 "guests[0].settings.relm: the recipe 'active-directory' has no such setting; did you mean 'realm'?");
    assert_check("  - name: a\n    recipe: active-directory\n    settings:\n      realm: ad.x\n",
                 "test.yaml:19:7: error: ");
    assert_check("  - {name: a, recipe: active-directory, settings: {realm: ad.firma.example}}\n",
                 "\"ad.firma.example\" must be in capital letters");
    assert_check("  - {name: a, recipe: active-directory, settings: {realm: AD.FIRMA.LOCAL}}\n", "mDNS");
    assert_check("  - {name: a, recipe: active-directory, settings: {realm: [A]}}\n", "is not a Kerberos realm");
    assert_check("  - {name: a, recipe: active-directory, memory: 512 MB, disk: 2 GB, settings: {realm: A.B}}\n",
                 "guests[0].memory: 512 MB is too little for 'active-directory'; give it 1.00 GB or more");
    assert_check("  - {name: a, recipe: active-directory, settings: {realm: SIXTEENCHARSLONG.EXAMPLE}}\n",
                 "the default 'SIXTEENCHARSLONG' (from realm) is not a NetBIOS name");
}

static void every_problem_is_said_at_once(void **state)
{
    (void)state;
    rf_autofree char *said = check("  - {name: a, recipe: active-directory, memory: 512 MB, disk: 2 GB}\n"
                                   "  - {name: b, recipe: nothing-like-it}\n");
    size_t lines = 0;
    for (const char *c = said; *c; c++)
        lines += *c == '\n';
    assert_true(lines >= 3);
    assert_non_null(strstr(said, "guests[1].recipe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_recipe_is_read),         cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(mistakes_are_said_with_their_place), cmocka_unit_test(guests_are_checked_against_their_recipe),
        cmocka_unit_test(every_problem_is_said_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
