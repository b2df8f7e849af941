/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/handed_over.h"
#include "postinstall/status.h"
#include "tests/unit/postinstall/fixture.h"

static void put(const struct fixture *fixture)
{
    static const char *const files[] = {"dc1.1a2b3c4d.age", "dc1.age", "dc10.age", "admins/jiku.age", "dc1.age.new"};
    for (size_t i = 0; i < RF_COUNT(files); i++) {
        rf_autofree char *path = rf_format(RF_STATE_HANDOVER "/%s", files[i]);
        fixture_write(fixture, path, "x", 0600);
    }
}

static void assert_names(const struct fixture *fixture, const char *wanted, const char *expected)
{
    rf_autojson json_t *names = rf_handed_over(fixture->root, wanted);
    rf_autofree char *text = json_dumps(names, 0);
    assert_string_equal(text, expected);
}

/* What is shown for a guest is one file, the first of these: age(1) refuses two after each other. */
static void the_first_passwords_come_first(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    put(&fixture);
    assert_names(&fixture, "dc1", "[\"dc1\", \"dc1.1a2b3c4d\"]");
    assert_names(&fixture, "dc1.1a2b3c4d", "[\"dc1.1a2b3c4d\"]");
    assert_names(&fixture, "admins/jiku", "[\"admins/jiku\"]");
    assert_names(&fixture, NULL, "[\"admins/jiku\", \"dc1\", \"dc1.1a2b3c4d\", \"dc10\"]");
    assert_names(&fixture, "x", "[]");
    rf_autofree char *path = rf_handed_over_path("", "dc1.1a2b3c4d");
    assert_string_equal(path, RF_STATE_HANDOVER "/dc1.1a2b3c4d.age");
    fixture_close(&fixture);
}

/* Those of accounts that came later were in no answer of the node. */
static void status_names_all_of_them(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    put(&fixture);
    const struct rf_node_options options = {.recipes_dir = RECIPES, .root = fixture.root, .uri = "test:///default"};
    rf_autojson json_t *status = rf_node_status_json(fixture.profile, &options, NULL);
    rf_autofree char *text = rf_node_status_text(status);
    assert_non_null(strstr(text, "/handover/dc1.age\n"));
    assert_non_null(strstr(text, "/handover/dc1.1a2b3c4d.age\n"));
    assert_null(strstr(text, "dc10"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_passwords_come_first),
        cmocka_unit_test(status_names_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
