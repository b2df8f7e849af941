/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recipes whose image is fetched, and what a guest's settings choose. */
#include "postinstall/description.h"
#include "tests/unit/postinstall/fixture.h"

#define SUM "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define IMAGE                                                                                                          \
    "  - {name: web, recipe: image, settings: {url: 'https://u:pw@x.example/i.img', sha256: " SUM ", format: qcow2"
#define HEAD                                                                                                           \
    "recipe: 1\ntitle: t\ndefaults: {memory: 1 GB, disk: 10 GB}\nsettings:\n  u: {type: url, title: t}\n"              \
    "  s: {type: sha256, title: t}\n  f: {type: choice, title: t, choices: [qcow2, raw]}\n"                            \
    "  w: {type: choice, title: t, choices: [bios, coreboot]}\n  b: {type: boolean, title: t}\n"
#define HEALTH "health: {probes: [{name: agent, type: agent}]}\n"

static void assert_recipe(const char *text, const char *says)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autorecipe rf_recipe *recipe = rf_recipe_parse("recipe.yaml", "/x", "test", text, strlen(text), &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    assert_int_equal(recipe == NULL, problems.count > 0);
    if (*says ? !strstr(said, says) : *said != '\0')
        fail_msg("\"%s\" does not say \"%s\"", said, says);
}

static void what_is_wrong_in_a_recipe(void **state)
{
    (void)state;
    assert_recipe(HEAD HEALTH "fetch: {url: u, sha256: s, format: f}\n", "");
    assert_recipe(HEAD HEALTH, "the key 'image' is missing");
    assert_recipe(HEAD HEALTH "image: {file: x}\nfetch: {url: u, sha256: s, format: f}\n",
                  "built or fetched, not both");
    assert_recipe(HEAD HEALTH "fetch: {url: u, sha256: s}\n", "format");
    assert_recipe(HEAD HEALTH "fetch: {url: s, sha256: s, format: f}\n",
                  "fetch.url: there is no setting 's' of type url");
    assert_recipe(HEAD HEALTH "fetch: {url: u, sha256: x, format: f}\n",
                  "fetch.sha256: there is no setting 'x' of type sha256");
    assert_recipe(HEAD HEALTH "fetch: {url: u, sha256: s, format: w}\n",
                  "fetch.format: the setting 'w' may offer qcow2 and raw, and nothing else");
    assert_recipe(HEAD HEALTH "fetch: {url: u, sha256: s, format: f, size: x}\n", "size");
    assert_recipe(HEAD HEALTH "fetch: {url: u, sha256: s, format: f}\nmachine: {firmware: w}\n",
                  "machine.firmware: the setting 'w' may offer bios and uefi, and nothing else");
    assert_recipe(HEAD HEALTH "fetch: {url: u, sha256: s, format: f}\nmachine: {tpm: w}\n",
                  "machine.tpm: there is no setting 'w' of type boolean");
    assert_recipe(HEAD "fetch: {url: u, sha256: s, format: f}\n"
                       "health: {probes: [{name: a, type: agent, when: {x: y}}]}\n",
                  "there is no setting 'x'");
    assert_recipe(HEAD "fetch: {url: u, sha256: s, format: f}\n"
                       "health: {probes: [{name: a, type: agent, when: {w: bios, b: true}}]}\n",
                  "one setting and its value are wanted here");
    assert_recipe(HEAD "fetch: {url: u, sha256: s, format: f}\nhealth: {probes: [{name: a, type: tcp, port_of: x}]}\n",
                  "there is no setting 'x'");
}

static void assert_check(const char *guests, const char *expected)
{
    rf_autoprofile rf_profile *profile = fixture_profile(guests);
    rf_autoproblems rf_problems problems = {0};
    rf_guests_check(profile, RECIPES, &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    assert_string_equal(said, expected);
}

static void what_is_wrong_in_a_profile(void **state)
{
    (void)state;
    assert_check(IMAGE "}}\n", "");
    assert_check(IMAGE ", firmware: uefi, tpm: true, drivers: plain, health: running}}\n", "");
    assert_check(IMAGE ", tpm: true}}\n",
                 "test.yaml:16:174: error: guests[0].settings.tpm: systems that want a TPM want UEFI too; write "
                 "'firmware: uefi' beside it\n");
}

static void settings_choose_the_machine(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture,
                      IMAGE
                      "}}\n"
                      "  - {name: win, recipe: image, settings: {url: 'https://x.example/i', sha256: " SUM
                      ", format: raw, firmware: uefi, tpm: true, drivers: plain, port: 3389, host: w.x.example}}\n"
                      "  - {name: box, recipe: image, settings: {url: 'https://x.example/i', sha256: " SUM
                      ", format: raw, health: running}}\n",
                      NULL, rf_runner_dry());
    const struct rf_node_guest *web = &fixture.model->guests[0], *win = web + 1, *box = web + 2;
    assert_false(web->recipe->uefi || web->recipe->tpm || web->recipe->plain);
    assert_true(win->recipe->uefi && win->recipe->tpm && win->recipe->plain);
    assert_int_equal(web->recipe->probes_count, 1);
    assert_string_equal(web->recipe->probes[0].name, "port");
    assert_int_equal(web->recipe->probes[0].port, 22); /* SSH, where nothing is said */
    assert_int_equal(win->recipe->probes[0].port, 3389);
    assert_string_equal(box->recipe->probes[0].name, "machine");
    assert_null(web->published);
    assert_string_equal(win->published, "w.x.example");
    assert_string_equal(rf_guest_fetch_url(web), "https://u:pw@x.example/i.img");
    assert_string_equal(rf_guest_fetch_format(win), "raw");
    fixture_close(&fixture);
}

/* cloud-init shows the guest's description to everybody in it. */
static void the_address_stays_on_the_node(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, IMAGE "}}\n", NULL, rf_runner_dry());
    rf_autojson json_t *description = rf_description(&fixture.model->guests[0]);
    rf_autofree char *text = rf_json_text(description);
    assert_null(strstr(text, "x.example/i.img"));
    assert_non_null(strstr(text, SUM));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_in_a_recipe),
        cmocka_unit_test(what_is_wrong_in_a_profile),
        cmocka_unit_test(settings_choose_the_machine),
        cmocka_unit_test(the_address_stays_on_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
