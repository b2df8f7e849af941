/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/problem.h"
#include "tests/unit/unit.h"

static void all_are_said_in_the_order_of_the_file(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_problem_at(&problems, "a.yaml", 9, 1, "node.id", "the %s", "last");
    rf_problem_at(&problems, "a.yaml", 2, 7, "b", "second on its line");
    rf_problem_at(&problems, "a.yaml", 2, 5, NULL, "first on its line");
    for (unsigned i = 1; i <= 20; i++)
        rf_problem_at(&problems, "a.yaml", 5, 5, "same", "number %u", i); /* as found */
    rf_problem_at(&problems, "a.yaml", 0, 0, "network", "without a place");
    rf_problem(&problems, "storage", "without a file");
    rf_problem(&problems, NULL, "100 %%");
    rf_autofree char *text = rf_problems_text(&problems), *expected = NULL;
    rf_append(&expected, "a.yaml: error: network: without a place\n"
                         "error: storage: without a file\n"
                         "error: 100 %%\n"
                         "a.yaml:2:5: error: first on its line\n"
                         "a.yaml:2:7: error: b: second on its line\n");
    for (unsigned i = 1; i <= 20; i++)
        rf_append(&expected, "a.yaml:5:5: error: same: number %u\n", i);
    rf_append(&expected, "a.yaml:9:1: error: node.id: the last\n");
    assert_string_equal(text, expected);
}

static void none_is_an_empty_text(void **state)
{
    (void)state;
    rf_problems problems = {0};
    rf_autofree char *before = rf_problems_text(&problems);
    assert_string_equal(before, "");
    rf_problem(&problems, "a", "b");
    rf_problems_clear(&problems);
    assert_int_equal(problems.count, 0);
    rf_autofree char *after = rf_problems_text(&problems);
    assert_string_equal(after, "");
    rf_problems_clear(&problems); /* once more is fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_said_in_the_order_of_the_file),
        cmocka_unit_test(none_is_an_empty_text),
    };
    return cmocka_run_group_tests_name("base/problem", tests, NULL, NULL);
}
