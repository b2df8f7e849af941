/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "base/step.h"
#include "tests/unit/unit.h"

static const struct rf_step_ops ops = {.name = "fake"};

static void test_text(void **state)
{
    (void)state;
    rf_autoplan rf_plan *plan = rf_plan_new();
    struct rf_step *step = rf_plan_add(plan, &ops, NULL, RF_PHASE_INSTALL, "partition/1", "Partition disk %s", "A1");
    step->destroys = rf_strdup("everything on it");
    rf_plan_add(plan, &ops, NULL, RF_PHASE_INSTALL, "array", "Make the array")->done = true;
    rf_plan_add(plan, &ops, NULL, RF_PHASE_NODE, "guest", "Start dc1");
    rf_autofree char *text = rf_plan_text(plan);
    assert_string_equal(text, "On this machine:\n"
                              "   1  Partition disk A1\n"
                              "      destroys: everything on it\n"
                              "\n"
                              "On the node, after its first boot:\n"
                              "   2  Start dc1\n");
    assert_int_equal(rf_plan_todo(plan, RF_PHASE_INSTALL), 1);
}

static void test_to_the_end(void **state)
{
    (void)state;
    rf_autoplan rf_plan *plan = rf_plan_new();
    for (const char *id = "abc"; *id; id++)
        rf_plan_add(plan, &ops, NULL, RF_PHASE_NODE, (const char[]){*id, '\0'}, "%c", *id);
    rf_plan_to_end(plan, 0);
    rf_plan_to_end(plan, 2);
    assert_string_equal(plan->steps[0].id, "b");
    assert_string_equal(plan->steps[1].id, "c");
    assert_string_equal(plan->steps[2].id, "a");
}

static void test_nothing(void **state)
{
    (void)state;
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_plan_add(plan, &ops, NULL, RF_PHASE_INSTALL, "array", "Make the array")->done = true;
    rf_autofree char *text = rf_plan_text(plan);
    assert_string_equal(text, "Nothing to do.\n");
}

static void test_json(void **state)
{
    (void)state;
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_plan_add(plan, &ops, NULL, RF_PHASE_NODE, "guest", "Start dc1");
    rf_autojson json_t *json = rf_plan_json(plan);
    rf_autofree char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(
        text, "[{\"id\":\"guest\",\"phase\":\"node\",\"title\":\"Start dc1\",\"destroys\":null,\"done\":false}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_to_the_end),
                                       cmocka_unit_test(test_nothing), cmocka_unit_test(test_json)};
    return cmocka_run_group_tests_name("base/step", tests, NULL, NULL);
}
