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
        return rf_fail(err, RF_FAILED, "the disk is gone");
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
        cmocka_unit_test(test_kill_points),
    };
    return cmocka_run_group_tests_name("base/step_apply", tests, NULL, NULL);
}
