/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/engine.h"
#include "tests/unit/unit.h"

static void problems_become_one_error(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_error *error = NULL;
    rf_problem(&problems, "storage.disks", "two match");
    assert_int_equal(rf_fail_problems(&error, RF_BAD_MACHINE, &problems), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error(error, "storage.disks: two match");
    rf_problem_at(&problems, "p.yaml", 3, 1, "node.id", "100 %% wrong");
    assert_int_equal(rf_fail_problems(&error, RF_BAD_PROFILE, &problems), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    assert_error(error, "2 problems:\nerror: storage.disks: two match\np.yaml:3:1: error: node.id: 100 % wrong");
}

struct keeper {
    rf_sink sink;
    size_t events;
};

static void count(rf_sink *sink, const struct rf_event *event, const char *line)
{
    (void)event;
    (void)line;
    ((struct keeper *)sink)->events++;
}

static void keep(rf_sink *sink)
{
    (void)sink;
}

/* Both problems are said, nothing is run, and nobody hears of a start that is none. */
static void a_machine_that_does_not_fit_is_not_begun(void **state)
{
    (void)state;
    static const struct rf_sink_ops ops = {"keeper", count, keep};
    struct keeper keeper = {.sink = {&ops}};
    struct rf_session session = {.runner = rf_runner_dry(), .events = rf_events_new("n1")};
    rf_events_add(session.events, &keeper.sink);
    rf_automachine rf_machine *machine = NULL;
    rf_autoprofile rf_profile *profile = NULL;
    rf_autoproblems rf_problems problems = {0};
    assert_int_equal(rf_machine_load("tests/machines/too-small.json", &machine, NULL), 0);
    assert_int_equal(rf_profile_load("profiles/musterkunde.yaml", &profile, &problems, NULL), 0);
    const struct rf_site_options where = {.medium = "/medium", .target = "/target"};
    rf_error *error = NULL;
    assert_int_equal(rf_engine_apply(&session, profile, machine, &where, NULL, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "problems:\n");
    assert_string_equal(rf_runner_dry_text(session.runner), "");
    assert_int_equal(keeper.events, 0);
    rf_session_close(&session);
}

int main(void)
{
    setenv("RICHTFEST_RECIPES", "postinstall/recipes", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(problems_become_one_error),
        cmocka_unit_test(a_machine_that_does_not_fit_is_not_begun),
    };
    return cmocka_run_group_tests_name("installer/engine", tests, NULL, NULL);
}
