/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/recipe.h"
#include "tests/unit/postinstall/fixture.h"

#include <sys/stat.h>

static const char recipe[] = "recipe: 1\n"
                             "title: A test\n"
                             "image: {file: test.qcow2, enable: [richtfest-x.service, apache2.service]}\n"
                             "defaults: {memory: 1 GB, disk: 10 GB}\n"
                             "configure: [/usr/lib/richtfest/x, '-']\n"
                             "health:\n"
                             "  probes:\n"
                             "    - {name: a, type: exec, argv: [/usr/lib/richtfest/guest-health, provisioned]}\n"
                             "    - {name: b, type: exec, argv: [/usr/lib/richtfest/y]}\n";

static char *problems_of(const struct fixture *fixture, const char *folder)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autofree char *path = rf_format("%s%s", fixture->root, folder);
    rf_autorecipe rf_recipe *found = rf_recipe_check_folder(path, &problems);
    rf_autofree char *text = rf_problems_text(&problems);
    (void)found;
    return without_root(fixture, text);
}

static void shipped_folders_are_whole(void **state)
{
    (void)state;
    rf_autojson json_t *names = rf_recipe_names(SHIPPED);
    for (size_t i = 0; i < json_array_size(names); i++) {
        rf_autoproblems rf_problems problems = {0};
        rf_autofree char *path = rf_format(SHIPPED "/%s", json_string_value(json_array_get(names, i)));
        rf_autorecipe rf_recipe *found = rf_recipe_check_folder(path, &problems);
        rf_autofree char *text = rf_problems_text(&problems);
        assert_string_equal(text, "");
        assert_non_null(found);
    }
}

static void everything_that_is_wrong_is_said(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture_write(&fixture, "/Test_1/recipe.yaml", recipe, 0644);
    fixture_write(&fixture, "/Test_1/user-data.j2", "#cloud-config\n", 0644);
    fixture_write(&fixture, "/Test_1/files/usr/lib/richtfest/y", "", 0644);
    fixture_write(&fixture, "/Test_1/files/etc/open", "", 0644);
    rf_autofree char *open = rf_format("%s/Test_1/files/etc/open", fixture.root);
    assert_int_equal(chmod(open, 0666), 0);
    rf_autofree char *said = problems_of(&fixture, "/Test_1/");
    assert_string_equal(
        said, "/Test_1: error: the folder's name: \"Test_1\" is not a valid recipe name; write lower-case "
              "letters, digits and hyphens, for example \"active-directory\"\n"
              "/Test_1/user-data.j2: error: it never uses ds.meta_data.richtfest, so the guest would not learn "
              "who it is\n"
              "/Test_1/files/usr/lib/richtfest/x: error: this program is named by configure and is not there\n"
              "/Test_1/files/usr/lib/richtfest/y: error: this program is named by b and can't be executed; "
              "chmod +x\n"
              "/Test_1/files/etc/systemd/system/richtfest-x.service: error: this unit is named by image.enable "
              "and is not there\n"
              "/Test_1/files/etc/open: error: everybody may write it; chmod o-w\n"
              "/Test_1/user-data.j2:1:1: error: the first line must be '## template: jinja'\n");
    fixture_close(&fixture);
}

static void a_whole_one_is_fine(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture_write(&fixture, "/test/recipe.yaml", recipe, 0644);
    fixture_write(&fixture, "/test/user-data.j2",
                  "## template: jinja\n#cloud-config\n{{ ds.meta_data.richtfest | tojson }}\n", 0644);
    fixture_write(&fixture, "/test/files/usr/lib/richtfest/x", "", 0755);
    fixture_write(&fixture, "/test/files/usr/lib/richtfest/y", "", 0755);
    fixture_write(&fixture, "/test/files/etc/systemd/system/richtfest-x.service", "", 0644);
    rf_autofree char *said = problems_of(&fixture, "/test");
    assert_string_equal(said, "");
    rf_autofree char *absent = problems_of(&fixture, "/nowhere");
    assert_non_null(strstr(absent, "/nowhere/recipe.yaml: error: "));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_folders_are_whole),
        cmocka_unit_test(everything_that_is_wrong_is_said),
        cmocka_unit_test(a_whole_one_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
