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

static void shipped_recipes_are_read(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autojson json_t *names = rf_recipe_names(SHIPPED);
    assert_true(json_array_size(names) >= 1);
    for (size_t i = 0; i < json_array_size(names); i++) {
        rf_autorecipe rf_recipe *recipe =
            rf_recipe_load(SHIPPED, json_string_value(json_array_get(names, i)), &problems);
        rf_autofree char *said = rf_problems_text(&problems);
        if (!recipe)
            fail_msg("%s", said);
    }
}

static void every_key_arrives(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autorecipe rf_recipe *directory = rf_recipe_load(RECIPES, "active-directory", &problems);
    rf_autorecipe rf_recipe *crm = rf_recipe_load(RECIPES, "crm", &problems);
    rf_autorecipe rf_recipe *desk = rf_recipe_load(RECIPES, "desk", &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    assert_string_equal(said, "");
    assert_string_equal(directory->image, "active-directory.qcow2");
    assert_string_equal(directory->zone, "realm");
    assert_true(directory->serves_directory);
    assert_int_equal(directory->secrets_count, 3);
    assert_true(rf_recipe_secret_named(directory, "probe")->keep);
    assert_string_equal(rf_recipe_secret_named(directory, "user")->each, "users");
    assert_string_equal(rf_recipe_secret_named(directory, "user")->at_least, "password_length");
    assert_int_equal(directory->ports[0].to, RF_TO_MEMBERS | RF_TO_VPN);
    assert_int_equal(directory->ports[2].to, RF_TO_MEMBERS); /* of a directory, where nothing is said */
    assert_int_equal(json_array_size(directory->configure), 2);
    assert_int_equal(crm->wants_directory, RF_DIRECTORY_OPTIONAL);
    assert_string_equal(crm->publish.host, "host");
    assert_int_equal(crm->publish.port, 8000);
    assert_int_equal(crm->publish.body, 100000000);
    assert_int_equal(crm->ports[0].to, 0);
    assert_int_equal(crm->probes[1].status, 200);
    assert_string_equal(crm->probes[1].contains, "Customers");
    assert_true(crm->probes[2].via_proxy);
    assert_true(crm->probes[3].of_directory);
    assert_string_equal(crm->probes[3].secret, "probe");
    assert_int_equal(desk->wants_directory, RF_DIRECTORY_REQUIRED);
    assert_int_equal(desk->ports[0].to, RF_TO_VPN);
    assert_false(desk->uefi);
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
                "recipe.yaml:2:22: error: settings.a.type: unknown type 'colour'; there are boolean, email, ");
    assert_says("recipe: 1\nsecrets: {a: {title: t, length: 4}}\n", "secrets.a.length: a password shorter than 12");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: ping}]}\n",
                "recipe.yaml:2:35: error: health.probes[0].type: unknown probe 'ping'; there are agent, cloud_init");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: exec}]}\n", "a probe of type exec needs 'argv'");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: dns_srv, service: _a._tcp, zone: z}]}\n",
                "there is no setting 'z'");
    assert_says("recipe: 1\nzone: nowhere\n", "zone: there is no setting 'nowhere'");
    assert_says("recipe: 1\nhealth: {}\n", "a recipe needs at least one probe");
    assert_says("recipe: 1\nrecipe: 1\n", "recipe.yaml:2:1: error: recipe: given twice");
    assert_says("recipe: 1\nimage: {file: x, build: [mkfs]}\n",
                "recipe.yaml:2:25: error: image.build: 'mkfs' is no absolute path");
    assert_says("recipe: 1\nconfigure: []\n", "recipe.yaml:2:12: error: configure: the command is empty");
    assert_says("recipe: 1\nimage: {file: x, overlay: false}\n", "image.overlay: every recipe's image is an overlay");
    assert_says("recipe: 1\nfirmware: efi\n", "firmware: 'efi' is not known here; did you mean 'uefi'?");
    assert_says("recipe: 1\ntpm: true\n", "tpm: systems that want a TPM want UEFI too");
    assert_says("recipe: 1\ndefaults: {memory: 1 GB, disk: 1 GB}\nminimums: {memory: 2 GB}\n",
                "defaults: they are below the minimums");
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

static void mistakes_in_settings_and_secrets(void **state)
{
    (void)state;
    assert_says("recipe: 1\nsettings: {a: {type: choice, title: t}}\n", "settings.a: a choice needs 'choices'");
    assert_says("recipe: 1\nsettings: {a: {type: text, title: t, choices: [b]}}\n", "only a setting of type choice");
    assert_says("recipe: 1\nsettings: {a: {type: text, title: t, min: 3}}\n", "only a setting of type integer");
    assert_says("recipe: 1\nsettings: {a: {type: integer, title: t, min: 3, max: 2}}\n", "it is smaller than min");
    assert_says("recipe: 1\nsettings: {a: {type: integer, title: t, max: 9, default: 10}}\n",
                "recipe.yaml:2:58: error: settings.a.default: 10 is out of range; write 0 to 9");
    assert_says("recipe: 1\nsettings: {a: {type: names, title: t, default: [b, 'c/d']}}\n",
                "settings.a.default: [1]: \"c/d\" holds one of the signs");
    assert_says("recipe: 1\nsettings: {a: {type: text, title: t, default: b, required: true}}\n",
                "settings.a.required: a setting with a default is not required");
    assert_says("recipe: 1\nsettings: {a: {type: netbios, title: t, first_label_of: b}}\n",
                "settings.a.first_label_of: there is no setting 'b'");
    assert_says("recipe: 1\nsettings: {a: {type: accounts, title: t, groups: b}, b: {type: text, title: t}}\n",
                "settings.a.groups: there is no setting 'b' of type names");
    assert_says("recipe: 1\nsecrets: {tls_key: {title: t}}\n", "secrets.tls_key: the node itself hands a secret");
    assert_says("recipe: 1\nsecrets: {A: {title: t}}\n", "secrets.A: a secret's name has lower-case letters");
    assert_says("recipe: 1\nsecrets: {a: {title: t, each: b}}\n", "there is no setting 'b' of type accounts");
    assert_says("recipe: 1\nsecrets: {a: {title: t, at_least: b}}\n", "there is no setting 'b' of type integer");
    assert_says("recipe: 1\nsettings: {b: {type: integer, title: t}}\nsecrets: {a: {title: t, at_least: b}}\n",
                "'b' may ask for more than 64 characters; give it a 'max'");
}

static void mistakes_in_services(void **state)
{
    (void)state;
    assert_says("recipe: 1\nports: [{protocol: tcp, port: 1, title: t, to: all}]\n",
                "recipe.yaml:2:48: error: ports[0].to: 'all' is not known here; write members, guests or vpn");
    assert_says("recipe: 1\nports: [{protocol: tcp, port: 1, title: t, to: [members]}]\n",
                "only a directory has members");
    assert_says("recipe: 1\nports: [{protocol: icmp, port: 1, title: t}]\n",
                "'icmp' is not known here; write tcp, udp");
    assert_says("recipe: 1\nports: [{port: 1, title: t}]\n", "ports[0]: the key 'protocol' is missing");
    assert_says("recipe: 1\npublish: {host: name}\n", "publish.host: there is no setting 'name' of type host");
    assert_says("recipe: 1\nserves: directory\n", "serves: a directory answers DNS for its zone");
    assert_says("recipe: 1\ndirectory: maybe\n",
                "directory: 'maybe' is not known here; write none, optional, required");
    assert_says("recipe: 1\nbackup: {paths: [etc]}\n", "backup.paths: 'etc' is no absolute path");
    assert_says("recipe: 1\nbackup: {quiesce: [/bin/x]}\n", "what is held still must be let go again");
}

static void mistakes_in_probes(void **state)
{
    (void)state;
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: tcp, port: 1, path: /}]}\n",
                "recipe.yaml:2:49: error: health.probes[0].path: unknown key");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: tcp}]}\n", "a probe of type tcp needs 'port'");
    assert_says("recipe: 1\nsettings: {h: {type: host, title: t}}\n"
                "health: {probes: [{name: x, type: http, via: proxy, host: h, port: 8000}]}\n",
                "people come to the proxy by HTTPS: without `port`, or `via: guest`");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: http, via: proxy}]}\n",
                "a probe of type http needs 'host'");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: http, path: a}]}\n", "'a' must begin with a slash");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: exec, argv: [/x], via: proxy}]}\n",
                "a probe of type exec needs 'host'");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: http, via: moon}]}\n", "write guest, proxy");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: exec, argv: [/x], secret: directory.probe}]}\n",
                "this guest has no directory; write 'directory: optional' or 'required'");
    assert_says("recipe: 1\nhealth: {probes: [{name: x, type: agent}, {name: x, type: agent}]}\n",
                "there is another probe 'x'");
}

static void guests_are_checked_against_their_recipe(void **state)
{
    (void)state;
    rf_autofree char *nothing = check(fixture_guests);
    assert_string_equal(nothing, "");
    assert_check("  - {name: a, recipe: activ-directory, settings: {realm: A.B}}\n",
                 "test.yaml:16:23: error: guests[0].recipe: there is no recipe 'activ-directory'; did you mean "
                 "'active-directory'?");
    assert_check("  - {name: a, recipe: toaster}\n",
                 "there is no recipe 'toaster'; there are: active-directory, box, crm, desk, image, plain");
    assert_check("  - {name: a, recipe: active-directory}\n", "guests[0].settings.realm: this setting is missing");
    assert_check("  - {name: a, recipe: active-directory, settings: {relm: A.B, realm: A.B}}\n",
                 "test.yaml:16:52: error: guests[0].settings.relm: the recipe 'active-directory' has no such setting; "
                 "did you mean 'realm'?");
    assert_check("  - name: a\n    recipe: active-directory\n    settings:\n      realm: ad.x\n",
                 "test.yaml:19:14: error: guests[0].settings.realm: ");
    assert_check("  - {name: a, recipe: active-directory, settings: {realm: ad.firma.example}}\n",
                 "\"ad.firma.example\" must be in capital letters");
    assert_check("  - {name: a, recipe: active-directory, settings: {realm: AD.FIRMA.LOCAL}}\n", "mDNS");
    assert_check("  - {name: a, recipe: active-directory, settings: {realm: [A]}}\n", "is not a Kerberos realm");
    assert_check("  - {name: a, recipe: active-directory, memory: 512 MB, disk: 2 GB, settings: {realm: A.B}}\n",
                 "guests[0].memory: 512 MB is too little for 'active-directory'; give it 1.00 GB or more");
    assert_check(
        "  - {name: a, recipe: active-directory, settings: {realm: SIXTEENCHARSLONG.EXAMPLE}}\n",
        "guests[0].settings.domain: its default, made from realm, does not do: \"SIXTEENCHARSLONG\" is not a NetBIOS");
    assert_check(
        "  - name: a\n    recipe: active-directory\n    settings:\n      realm: A.B\n      groups: [Vertrieb]\n"
        "      users:\n        - name: anna\n          mail: anna\n          groups: [Vertreib, Domain Admins]\n",
        "test.yaml:23:17: error: guests[0].settings.users[0].mail: \"anna\" is not an e-mail address");
    assert_check(
        "  - name: a\n    recipe: active-directory\n    settings:\n      realm: A.B\n      groups: [Vertrieb]\n"
        "      users:\n        - name: anna\n          groups: [Vertreib, Domain Admins]\n",
        "test.yaml:23:20: error: guests[0].settings.users[0].groups[0]: \"Vertreib\" is no group of "
        "settings.groups; did you mean 'Vertrieb'?");
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
        cmocka_unit_test(shipped_recipes_are_read),
        cmocka_unit_test(every_key_arrives),
        cmocka_unit_test(mistakes_in_settings_and_secrets),
        cmocka_unit_test(mistakes_in_services),
        cmocka_unit_test(mistakes_in_probes),
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(mistakes_are_said_with_their_place),
        cmocka_unit_test(guests_are_checked_against_their_recipe),
        cmocka_unit_test(every_problem_is_said_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
