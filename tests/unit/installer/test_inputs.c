/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/inputs.h"
#include "tests/unit/unit.h"

/* The sample profile with one thing exchanged. The caller frees it. */
static char *profile_with(const char *what, const char *instead)
{
    rf_autofree char *text = NULL;
    assert_int_equal(rf_read_file("profiles/musterkunde.yaml", 1 << 18, &text, NULL, NULL), 0);
    const char *at = strstr(text, what);
    assert_non_null(at);
    return rf_format("%.*s%s%s", (int)(at - text), text, instead, at + strlen(what));
}

static void assert_refused(const char *text, const char *part)
{
    rf_autoproblems rf_problems problems = {0};
    assert_null(rf_check_profile("p.yaml", text, strlen(text), &problems));
    rf_autofree char *said = rf_problems_text(&problems);
    if (!strstr(said, part))
        fail_msg("\"%s\" does not say \"%s\"", said, part);
}

/* What the schema can't know is known all the same: recipes, and who can read what is handed over. */
static void a_profile_is_checked_beyond_its_schema(void **state)
{
    (void)state;
    rf_autofree char *good = profile_with("richtfest: 1", "richtfest: 1");
    rf_autofree char *recipe = profile_with("recipe: active-directory", "recipe: active-directroy");
    rf_autofree char *realm = profile_with("realm: ", "raelm: ");
    rf_autofree char *schema = profile_with("hostname:", "hostnam:");
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = rf_check_profile("p.yaml", good, strlen(good), &problems);
    assert_non_null(profile);
    assert_int_equal(problems.count, 0);
    assert_refused(recipe, "there is no recipe 'active-directroy'; did you mean 'active-directory'?");
    assert_refused(realm, "settings.realm: this setting is missing");
    assert_refused(schema, "did you mean `hostname`?");
    assert_refused("", "error: ");
}

static void a_file_is_read_and_said(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = rf_format("%s/p.yaml", directory);
    rf_autofree char *bad = profile_with("recipe: active-directory", "recipe: none");
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_read_profile(path, &profile, &problems, &error), -1);
    assert_error_has(error, "p.yaml");
    assert_int_equal(rf_write_file(path, bad, strlen(bad), 0600, NULL), 0);
    assert_int_equal(rf_read_profile(path, &profile, &problems, &error), 0);
    assert_null(profile);
    rf_autofree char *said = rf_problems_text(&problems);
    assert_non_null(strstr(said, path)); /* with the place: FILE:LINE:COLUMN */
    rf_problems_clear(&problems);
    assert_int_equal(rf_read_profile("profiles/musterkunde.yaml", &profile, &problems, &error), 0);
    assert_non_null(profile);
    rf_remove_tree(directory, NULL);
}

/* Valid for `check`, but nobody has the example key's private half. */
static void the_example_key_is_no_key(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0}, none = {0};
    rf_autoprofile rf_profile *profile = NULL;
    assert_int_equal(rf_read_profile("profiles/musterkunde.yaml", &profile, &problems, NULL), 0);
    rf_check_example_key(profile, &problems);
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0].text, "still has the example key"));
    char **key = &profile->node.admins[0].ssh_keys[0];
    free(*key);
    *key = rf_strdup("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSFti ops@example");
    rf_check_example_key(profile, &none);
    assert_int_equal(none.count, 0);
}

/* A profile that is wrong elsewhere can still say where its failure is to be reported. */
static void the_reports_url_is_found_in_a_wrong_profile(void **state)
{
    (void)state;
    static const struct {
        const char *text, *url;
    } rows[] = {
        {"nonsense: 1\nreport:\n  url: https://h.example/hook\nstorage: [\n", NULL}, /* no YAML at all */
        {"nonsense: 1\nreport:\n  url: https://h.example/hook\n", "https://h.example/hook"},
        {"report: {url: http://h.example/}\nreport2: x\n", "http://h.example/"},
        {"report: {url: file:///etc/passwd}\n", NULL},
        {"report: {url: [http://a/, http://b/]}\n", NULL},
        {"report: http://h.example/\n", NULL},
        {"report: {}\n", NULL},
        {"- a\n- list\n", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *url = rf_report_url(rows[i].text, strlen(rows[i].text));
        if ((url == NULL) != (rows[i].url == NULL) || (url && strcmp(url, rows[i].url) != 0))
            fail_msg("\"%s\" instead of \"%s\"", url ? url : "(none)", rows[i].url ? rows[i].url : "(none)");
    }
}

static void a_recorded_machine_is_read(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_read_machine("tests/machines/musterkunde-blank.json", &machine, NULL), 0);
    assert_int_equal(machine->disks_count, 2);
    rf_machine *none = NULL;
    assert_int_equal(rf_read_machine("/no/such/machine.json", &none, &error), -1);
    assert_null(none);
    assert_error_has(error, "/no/such/machine.json");
}

int main(void)
{
    setenv("RICHTFEST_RECIPES", "postinstall/recipes", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_is_checked_beyond_its_schema),
        cmocka_unit_test(a_file_is_read_and_said),
        cmocka_unit_test(the_example_key_is_no_key),
        cmocka_unit_test(the_reports_url_is_found_in_a_wrong_profile),
        cmocka_unit_test(a_recorded_machine_is_read),
    };
    return cmocka_run_group_tests_name("installer/inputs", tests, NULL, NULL);
}
