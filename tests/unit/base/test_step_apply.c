/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "base/step.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A step that counts what is done with it; the counts are shared with killed children. */
struct fake {
    int probes, applies;
    bool done, forgets, fails;
    enum rf_code code; /* of a failure; RF_OK: RF_FAILED */
};

static enum rf_probe fake_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    struct fake *fake = (struct fake *)arg;
    fake->probes++;
    return fake->done ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int fake_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    struct fake *fake = (struct fake *)arg;
    fake->applies++;
    if (fake->fails)
        return rf_fail(err, fake->code ? fake->code : RF_FAILED, "the disk is gone");
    fake->done = !fake->forgets;
    return 0;
}

static const struct rf_step_ops ops = {.name = "fake", .probe = fake_probe, .apply = fake_apply};

/* A sink that keeps "step:state" words. */
struct words {
    rf_sink sink;
    char *text;
};

static char *collected;

static void words_emit(rf_sink *sink, const struct rf_event *event, const char *line)
{
    (void)line;
    struct words *words = (struct words *)sink;
    rf_append(&words->text, "%s:%s ", event->step ? event->step : "run", rf_state_name(event->state));
}

static void words_release(rf_sink *sink)
{
    struct words *words = (struct words *)sink;
    collected = words->text ? words->text : rf_strdup("");
    free(words);
}

static rf_events *word_events(void)
{
    static const struct rf_sink_ops sink_ops = {"words", words_emit, words_release};
    struct words *words = rf_alloc(sizeof(*words));
    words->sink.ops = &sink_ops;
    rf_events *events = rf_events_new("m");
    rf_events_add(events, &words->sink);
    return events;
}

static rf_plan *plan_of(struct fake *fakes, size_t count)
{
    rf_plan *plan = rf_plan_new();
    for (size_t i = 0; i < count; i++) {
        rf_autofree char *id = rf_format("s%zu", i);
        rf_plan_add(plan, &ops, &fakes[i], RF_PHASE_INSTALL, id, "Step %zu", i);
    }
    return plan;
}

static int walk(const rf_plan *plan, const char *kill_at, struct rf_apply_summary *summary, rf_error **err)
{
    struct rf_step_env env = {.events = word_events()};
    const struct rf_apply_options options = {.phase = RF_PHASE_INSTALL, .kill_at = kill_at};
    int outcome = rf_plan_apply(plan, &env, &options, summary, err);
    rf_events_free(env.events);
    return outcome;
}

static void test_done_is_skipped(void **state)
{
    (void)state;
    struct fake fakes[2] = {{.done = true}, {0}};
    rf_autoplan rf_plan *plan = plan_of(fakes, 2);
    struct rf_apply_summary summary;
    assert_int_equal(walk(plan, NULL, &summary, NULL), 0);
    assert_int_equal(fakes[0].applies, 0);
    assert_int_equal(fakes[1].applies, 1);
    assert_int_equal(summary.applied, 1);
    assert_int_equal(summary.skipped, 1);
    assert_string_equal(collected, "s0:skipped s1:started s1:done ");
    free(collected);
    assert_int_equal(walk(plan, NULL, &summary, NULL), 0); /* the second run changes nothing */
    assert_int_equal(summary.applied, 0);
    free(collected);
}

static void test_failure_stops(void **state)
{
    (void)state;
    struct fake fakes[3] = {{0}, {.fails = true}, {0}};
    rf_autoplan rf_plan *plan = plan_of(fakes, 3);
    rf_error *error = NULL;
    assert_int_equal(walk(plan, NULL, NULL, &error), -1);
    assert_error(error, "Step 1: the disk is gone");
    assert_int_equal(fakes[2].probes, 0);
    assert_string_equal(collected, "s0:started s0:done s1:started s1:failed ");
    free(collected);
}

static void test_what_did_not_stick_is_a_failure(void **state)
{
    (void)state;
    struct fake fakes[1] = {{.forgets = true}};
    rf_autoplan rf_plan *plan = plan_of(fakes, 1);
    rf_error *error = NULL;
    assert_int_equal(walk(plan, NULL, NULL, &error), -1);
    assert_error(error, "Step 0: verifying: it was done, but looking again it is not there");
    free(collected);
}

static void test_other_phases_are_left_alone(void **state)
{
    (void)state;
    struct fake fakes[2] = {0};
    rf_autoplan rf_plan *plan = plan_of(fakes, 2);
    plan->steps[1].phase = RF_PHASE_NODE;
    assert_int_equal(walk(plan, NULL, NULL, NULL), 0);
    assert_int_equal(fakes[0].applies, 1);
    assert_int_equal(fakes[1].probes, 0);
    free(collected);
}

static void test_lanes_run_all_and_one_failure_is_enough(void **state)
{
    (void)state;
    struct fake fakes[5] = {{0}, {0}, {.fails = true}, {0}, {0}};
    rf_autoplan rf_plan *plan = plan_of(fakes, 5);
    plan->steps[1].lane = 1;
    plan->steps[2].lane = 2;
    plan->steps[3].lane = 1;
    rf_error *error = NULL;
    assert_int_equal(walk(plan, NULL, NULL, &error), -1);
    assert_error(error, "Step 2: the disk is gone");
    assert_int_equal(fakes[1].applies, 1);
    assert_int_equal(fakes[4].probes, 0); /* behind the group */
    free(collected);
}

/* Notes in which order the steps were applied. */
static int order[8], order_count;

static int note_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    if (*(const int *)arg == 0)
        usleep(200000); /* without the barrier the others would overtake it */
    order[__atomic_fetch_add(&order_count, 1, __ATOMIC_SEQ_CST)] = *(const int *)arg;
    return 0;
}

static void test_a_barrier_holds_the_lanes(void **state)
{
    (void)state;
    static const struct rf_step_ops note_ops = {.name = "note", .apply = note_apply};
    static const int numbers[] = {0, 1, 2, 3};
    rf_autoplan rf_plan *plan = rf_plan_new();
    for (int i = 0; i < 4; i++) {
        rf_autofree char *id = rf_format("n%d", i);
        rf_plan_add(plan, &note_ops, &numbers[i], RF_PHASE_INSTALL, id, "Note")->lane = (unsigned)i % 2 + 1;
    }
    plan->steps[2].barrier = true;
    order_count = 0;
    assert_int_equal(walk(plan, NULL, NULL, NULL), 0);
    free(collected);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 0);
    assert_true(order[2] + order[3] == 5);
}

/* A plan of independent steps, each in the lane of its letter: "a", "b", "a", … */
static rf_plan *independent_plan(struct fake *fakes, const char *lanes)
{
    rf_plan *plan = plan_of(fakes, strlen(lanes));
    for (size_t i = 0; i < plan->count; i++) {
        plan->steps[i].lane = (unsigned)(lanes[i] - 'a') + 1;
        plan->steps[i].independent = true;
    }
    return plan;
}

static void test_an_independent_failure_ends_its_own_lane(void **state)
{
    (void)state;
    struct fake fakes[6] = {{.fails = true}, {0}, {0}, {0}, {0}, {0}};
    rf_autoplan rf_plan *plan = independent_plan(fakes, "abcabc");
    struct rf_apply_summary summary;
    rf_error *error = NULL;
    assert_int_equal(walk(plan, NULL, &summary, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error(error, "Step 0: the disk is gone");
    assert_int_equal(fakes[3].probes, 0); /* the rest of its lane */
    assert_int_equal(summary.applied, 4);
    free(collected);
}

/* The service tries again what ended with 3, and nothing else: a wrong bridge kept guests down that only had to be tried again. */
static void test_what_may_be_tried_again_counts(void **state)
{
    (void)state;
    for (size_t worse = 0; worse < 2; worse++) {
        struct fake fakes[2] = {{.fails = true}, {.fails = true}};
        fakes[worse].code = RF_BAD_MACHINE;
        rf_autoplan rf_plan *plan = independent_plan(fakes, "ab");
        rf_error *error = NULL;
        assert_int_equal(walk(plan, NULL, NULL, &error), -1);
        assert_int_equal(rf_error_code(error), RF_FAILED);
        rf_error_free(error);
        free(collected);
    }
}

static void test_a_step_waits_for_another_lane(void **state)
{
    (void)state;
    static const struct rf_step_ops note_ops = {.name = "note", .apply = note_apply};
    static const int numbers[] = {0, 1, 2};
    rf_autoplan rf_plan *plan = rf_plan_new();
    for (int i = 0; i < 3; i++) {
        rf_autofree char *id = rf_format("n%d", i);
        rf_plan_add(plan, &note_ops, &numbers[i], RF_PHASE_INSTALL, id, "Note")->lane = (unsigned)i + 1;
    }
    rf_step_after(&plan->steps[1], "n0", false);
    rf_step_after(&plan->steps[2], "n1", true);
    order_count = 0;
    assert_int_equal(walk(plan, NULL, NULL, NULL), 0);
    free(collected);
    assert_int_equal(order[0], 0); /* the slow one */
    assert_int_equal(order[1], 1);
    assert_int_equal(order[2], 2);
}

static void test_who_waits_for_a_failure_says_so(void **state)
{
    (void)state;
    struct fake fakes[7] = {{.fails = true}, {0}, {0}, {0}, {0}, {0}, {0}};
    rf_autoplan rf_plan *plan = independent_plan(fakes, "aabbccd");
    rf_step_after(&plan->steps[3], "s1", false); /* s1 is never begun, because s0 has failed */
    rf_step_after(&plan->steps[5], "s1", true);
    rf_step_after(&plan->steps[6], "s9", false);
    rf_error *error = NULL;
    assert_int_equal(walk(plan, NULL, NULL, &error), -1);
    assert_error(error, "3 things have failed:\n"
                        "Step 0: the disk is gone\n"
                        "Step 3: not begun, because this has failed: Step 1\n"
                        "Step 6: not begun: there is no step 's9' before it");
    assert_non_null(strstr(collected, "s3:failed"));
    assert_int_equal(fakes[2].applies, 1);
    assert_int_equal(fakes[3].probes, 0);
    assert_int_equal(fakes[5].applies, 1); /* it only had to end */
    free(collected);
}

/* A failure that is not independent ends the waiting of all. */
static void test_nobody_waits_for_ever(void **state)
{
    (void)state;
    struct fake fakes[4] = {{.fails = true}, {0}, {0}, {0}};
    rf_autoplan rf_plan *plan = independent_plan(fakes, "aabc");
    plan->steps[0].independent = false;
    rf_step_after(&plan->steps[2], "s1", true);
    rf_step_after(&plan->steps[3], "s2", false);
    rf_error *error = NULL;
    assert_int_equal(walk(plan, NULL, NULL, &error), -1);
    assert_error(error, "Step 0: the disk is gone");
    assert_int_equal(fakes[2].probes + fakes[3].probes, 0);
    free(collected);
}

/* Killed at each point of each step and run again: always the same end, and never more than one application twice. */
static void test_kill_points(void **state)
{
    (void)state;
    static const char *const points[] = {"before", "probed", "applied", "after"};
    for (size_t i = 0; i < 3 * RF_COUNT(points); i++) {
        struct fake *fakes = mmap(NULL, sizeof(*fakes) * 3, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        rf_autoplan rf_plan *plan = plan_of(fakes, 3);
        rf_autofree char *kill_at = rf_format("s%zu:%s", i / RF_COUNT(points), points[i % RF_COUNT(points)]);
        pid_t child = fork();
        if (child == 0) {
            walk(plan, kill_at, NULL, NULL);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(walk(plan, NULL, NULL, NULL), 0);
        free(collected);
        for (size_t j = 0; j < 3; j++) {
            assert_true(fakes[j].done);
            assert_int_equal(fakes[j].applies, 1);
        }
        munmap(fakes, sizeof(*fakes) * 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_done_is_skipped),
        cmocka_unit_test(test_failure_stops),
        cmocka_unit_test(test_what_did_not_stick_is_a_failure),
        cmocka_unit_test(test_other_phases_are_left_alone),
        cmocka_unit_test(test_lanes_run_all_and_one_failure_is_enough),
        cmocka_unit_test(test_a_barrier_holds_the_lanes),
        cmocka_unit_test(test_an_independent_failure_ends_its_own_lane),
        cmocka_unit_test(test_what_may_be_tried_again_counts),
        cmocka_unit_test(test_a_step_waits_for_another_lane),
        cmocka_unit_test(test_who_waits_for_a_failure_says_so),
        cmocka_unit_test(test_nobody_waits_for_ever),
        cmocka_unit_test(test_kill_points),
    };
    return cmocka_run_group_tests_name("base/step_apply", tests, NULL, NULL);
}
