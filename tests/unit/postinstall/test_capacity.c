/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/units.h"
#include "postinstall/capacity.h"
#include "tests/unit/postinstall/fixture.h"

static void the_sums_are_named(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autoproblems rf_problems problems = {0};
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_capacity_check(fixture.model, 8 * RF_GIB, 4, &problems); /* 2 × 1.86 GiB, 3 cores */
    assert_int_equal(problems.count, 0);
    rf_capacity_check(fixture.model, 4 * RF_GIB, 4, &problems);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].text,
                        "together they need 3.98 GiB of memory (dc1 1.86 GiB, dc2 1.86 GiB, and 128 MiB each beside "
                        "that); this machine has 4.00 GiB, of which the node keeps 1.08 GiB (node.reserve.memory): "
                        "1.06 GiB too much");
    assert_int_equal(problems.items[0].line, 16); /* where the list begins */
    fixture_close(&fixture);
}

static void what_is_asked_for_is_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autoproblems rf_problems problems = {0};
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture.profile->node.reserve.memory = 256 * RF_MIB;
    assert_int_equal(rf_capacity_reserve(fixture.profile, 8 * RF_GIB), 256 * RF_MIB);
    assert_int_equal(rf_capacity_room(fixture.profile, RF_GIB), 768 * RF_MIB);
    assert_int_equal(rf_capacity_room(fixture.profile, 128 * RF_MIB), 0);
    rf_capacity_check(fixture.model, 4 * RF_GIB + 256 * RF_MIB, 4, &problems);
    assert_int_equal(problems.count, 0);
    fixture_close(&fixture);
}

static void cores_may_be_given_out_several_times(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_autoproblems rf_problems problems = {0};
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_capacity_check(fixture.model, 8 * RF_GIB, 1, &problems); /* 3 of 1 × 4 */
    assert_int_equal(problems.count, 0);
    fixture.profile->node.overcommit = 1;
    rf_capacity_check(fixture.model, 8 * RF_GIB, 3, &problems);
    assert_int_equal(problems.count, 0);
    fixture.profile->node.reserve.cores = 1;
    rf_capacity_check(fixture.model, 8 * RF_GIB, 3, &problems);
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0].text, "together they have 3 virtual processors; this machine has 3, of "
                                                   "which the node keeps 1"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sums_are_named),
        cmocka_unit_test(what_is_asked_for_is_kept),
        cmocka_unit_test(cores_may_be_given_out_several_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
