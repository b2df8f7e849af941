/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine's mirror, out of apt's configuration as it is found in the wild. */
#include "base/file.h"
#include "image/apt.h"
#include "tests/unit/unit.h"

static void one_line_form(void **state)
{
    (void)state;
    rf_automirrors struct rf_mirrors found = {0};
    rf_apt_parse_list("# deb http://commented/debian bookworm main\n"
                      "deb-src http://source/debian bookworm main\n"
                      "deb http://other/debian bookworm contrib\n"
                      "deb http://updates/debian bookworm-updates main\n"
                      "deb [ arch=amd64 signed-by=/k.gpg ]  http://mirror/debian/\tbookworm main contrib # here\n"
                      "deb http://later/debian bookworm main\n"
                      "deb http://sec/debian-security bookworm-security main\n",
                      "bookworm", &found);
    assert_string_equal(found.main, "http://mirror/debian");
    assert_string_equal(found.security, "http://sec/debian-security");
}

static void deb822_form(void **state)
{
    (void)state;
    rf_automirrors struct rf_mirrors found = {0};
    rf_apt_parse_deb822("Types: deb\nEnabled: no\nURIs: http://off/debian\nSuites: trixie\nComponents: main\n\n"
                        "Types: deb-src\nURIs: http://src/debian\nSuites: trixie\nComponents: main\n\n"
                        "# a comment\n"
                        "types: deb deb-src\n"
                        "# another, inside\n"
                        "URIs: http://mirror/debian/\n"
                        "Suites: trixie\n trixie-updates\n"
                        "Components:\n main\n"
                        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n URIs: http://inside-a-key/\n"
                        " -----END PGP PUBLIC KEY BLOCK-----\n"
                        "\n\n"
                        "Types: deb\nURIs: http://sec/debian-security\nSuites: trixie-security\nComponents: main",
                        "trixie", &found);
    assert_string_equal(found.main, "http://mirror/debian");
    assert_string_equal(found.security, "http://sec/debian-security");
}

static void other_releases_do_not_count(void **state)
{
    (void)state;
    rf_automirrors struct rf_mirrors found = {0};
    rf_apt_parse_list("deb http://m/debian bookworm-backports main\ndeb http://m/debian sid main\ndeb\ndeb x\n",
                      "bookworm", &found);
    rf_apt_parse_deb822("", "bookworm", &found);
    rf_apt_parse_deb822("no colon\n: :\n\n\n", "bookworm", &found);
    assert_null(found.main);
    assert_null(found.security);
}

static void put(const char *directory, const char *name, const char *text)
{
    rf_autofree char *path = rf_format("%s/%s", directory, name);
    rf_autofree char *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static void whole_machine(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    struct rf_mirrors found = {0};
    rf_error *error = NULL;
    assert_int_equal(rf_apt_mirrors(directory, &found, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "--mirror URL");
    put(directory, "etc/os-release", "ID=debian\nVERSION_CODENAME=\"bookworm\"\n");
    assert_int_equal(rf_apt_mirrors(directory, &found, &error), -1);
    assert_error_has(error, "apt's sources name no mirror of bookworm main");
    put(directory, "etc/apt/sources.list.d/b.list", "deb http://second/debian bookworm main\n");
    put(directory, "etc/apt/sources.list.d/a.sources",
        "Types: deb\nURIs: http://first/debian\nSuites: bookworm\nComponents: main\n");
    put(directory, "etc/apt/sources.list.d/0.list.off", "deb http://off/debian bookworm main\n");
    assert_int_equal(rf_apt_mirrors(directory, &found, NULL), 0);
    assert_string_equal(found.main, "http://first/debian");
    assert_null(found.security);
    rf_mirrors_clear(&found);
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_form),
        cmocka_unit_test(deb822_form),
        cmocka_unit_test(other_releases_do_not_count),
        cmocka_unit_test(whole_machine),
    };
    return cmocka_run_group_tests_name("image/apt", tests, NULL, NULL);
}
