/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every tests/golden/profiles/NAME.yaml yields exactly the text in NAME.expected; and the generated pages in docs/reference are what the
 * table makes. RF_GOLDEN_UPDATE=1 writes them anew: read the difference before it is committed.
 */
#include "base/file.h"
#include "profiles/profile.h"
#include "tests/unit/unit.h"

#include <glob.h>

#define GOLDEN "tests/golden/profiles/"

/* Compares with a file, or writes it where that was asked for. False prints both. */
static bool same_as_file(const char *path, const char *text)
{
    if (getenv("RF_GOLDEN_UPDATE"))
        return !rf_write_file(path, text, strlen(text), 0644, NULL);
    rf_autofree char *expected = NULL;
    rf_read_file(path, 1U << 20, &expected, NULL, NULL);
    if (expected && !strcmp(expected, text))
        return true;
    print_error("%s: expected\n%s\nbut it is\n%s\n", path, expected ? expected : "(no file)", text);
    return false;
}

static char *problems_of(const char *path)
{
    rf_autofree char *text = NULL;
    size_t size = 0;
    assert_int_equal(rf_read_file(path, 4 * RF_PROFILE_MAX, &text, &size, NULL), 0);
    rf_autoproblems rf_problems problems = {0};
    rf_autoprofile rf_profile *profile = rf_profile_parse(strrchr(path, '/') + 1, text, size, &problems);
    assert_int_equal(profile == NULL, problems.count > 0); /* never both, never neither */
    return rf_problems_text(&problems);
}

static void messages(void **state)
{
    (void)state;
    glob_t found = {0};
    assert_int_equal(glob(GOLDEN "*.yaml", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 40);
    size_t different = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        rf_autofree char *text = problems_of(path);
        rf_autofree char *expected = rf_format("%.*s.expected", (int)(strlen(path) - strlen(".yaml")), path);
        different += !same_as_file(expected, text);
    }
    globfree(&found);
    assert_int_equal(different, 0);
}

static void reference_page(void **state)
{
    (void)state;
    rf_autofree char *text = rf_profile_reference();
    assert_true(same_as_file("docs/reference/profile.md", text));
}

static void json_schema(void **state)
{
    (void)state;
    rf_autojson json_t *schema = rf_profile_json_schema();
    rf_autofree char *text = rf_json_text(schema);
    assert_true(same_as_file("docs/reference/profile.schema.json", text));
}

static void shipped_profiles_are_valid(void **state)
{
    (void)state;
    static const char *const shipped[] = {"profiles/musterkunde.yaml", "profiles/examples/single.yaml",
                                          "profiles/examples/directory.yaml", "profiles/examples/dirty-disks.yaml"};
    for (size_t i = 0; i < RF_COUNT(shipped); i++) {
        rf_autofree char *text = problems_of(shipped[i]);
        assert_string_equal(text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(reference_page),
        cmocka_unit_test(json_schema),
        cmocka_unit_test(shipped_profiles_are_valid),
    };
    return cmocka_run_group_tests_name("profiles/golden", tests, NULL, NULL);
}
