/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/repetition.h"
#include "tests/unit/unit.h"

/* As a guest's health is told: every 15 seconds. */
static void the_same_words_become_sparse(void **state)
{
    (void)state;
    struct rf_repetitions all = {0};
    rf_autofree char *when = NULL;
    for (unsigned now = 0; now <= 200; now += 15)
        if (rf_repetition_worth(&all, "health/dc1", "no answer", now))
            rf_append(&when, "%u ", now);
    assert_string_equal(when, "0 15 75 135 195 ");
    assert_true(rf_repetition_worth(&all, "health/dc1", "cloud-init: running", 201)); /* other words at once */
    assert_true(rf_repetition_worth(&all, "health/dc1", "no answer", 202));
    rf_repetitions_clear(&all);
}

static void each_step_has_its_own(void **state)
{
    (void)state;
    struct rf_repetitions all = {0};
    for (double now = 0; now < 2; now++) {
        assert_true(rf_repetition_worth(&all, "health/dc1", "no answer", now));
        assert_true(rf_repetition_worth(&all, "health/ts1", "no answer", now));
    }
    assert_false(rf_repetition_worth(&all, "health/dc1", "no answer", 2));
    assert_false(rf_repetition_worth(&all, "health/ts1", "no answer", 2));
    rf_repetitions_clear(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_words_become_sparse),
        cmocka_unit_test(each_step_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
