/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walking a plan: probe, apply, verify, with an event at each turn. */
#include "base/memory.h"
#include "base/step.h"
#include "base/units.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

struct walk { /* what the lanes of one run share */
    const rf_plan *plan;
    const struct rf_apply_options *options;
    struct rf_apply_summary summary;
    bool failed;
    pthread_mutex_t lock;
};

/* The tests' power cut: SIGKILL cannot be caught, so nothing is tidied up. */
static void kill_point(const struct walk *walk, const struct rf_step *step, const char *point)
{
    if (!walk->options->kill_at)
        return;
    rf_autofree char *here = rf_format("%s:%s", step->id, point);
    if (strcmp(here, walk->options->kill_at) == 0)
        raise(SIGKILL);
}

static void emit_step(struct rf_step_env *env, enum rf_state state, double since, const rf_error *error)
{
    rf_autofree char *why = rf_error_text(error);
    rf_emit(env->events, &(struct rf_event){.step = env->step->id,
                                            .title = env->step->title,
                                            .state = state,
                                            .message = why,
                                            .code = rf_error_code(error),
                                            .seconds = since > 0 ? rf_now() - since : -1});
}

static enum rf_probe probe(struct rf_step_env *env, rf_error **err)
{
    const struct rf_step *step = env->step;
    return step->ops->probe ? step->ops->probe(env, step->arg, err) : RF_PROBE_TODO;
}

static int verify(struct rf_step_env *env, rf_error **err)
{
    const struct rf_step *step = env->step;
    if (step->ops->verify)
        return step->ops->verify(env, step->arg, err);
    if (!step->ops->probe)
        return 0;
    enum rf_probe found = step->ops->probe(env, step->arg, err);
    if (found == RF_PROBE_TODO)
        return rf_fail(err, RF_FAILED, "it was done, but looking again it is not there");
    return found == RF_PROBE_ERROR ? -1 : 0;
}

static int change(const struct walk *walk, struct rf_step_env *env, rf_error **err)
{
    const struct rf_step *step = env->step;
    emit_step(env, RF_STARTED, 0, NULL);
    kill_point(walk, step, "probed");
    if (step->ops->apply(env, step->arg, err) < 0)
        return -1;
    kill_point(walk, step, "applied");
    if (verify(env, err) < 0)
        return rf_wrap(err, "verifying");
    emit_step(env, RF_DONE, env->started, NULL);
    kill_point(walk, step, "after");
    return 1;
}

/* 1: applied, 0: was done already, -1: failed. */
static int take_step(const struct walk *walk, struct rf_step_env *env, rf_error **err)
{
    env->started = rf_now();
    kill_point(walk, env->step, "before");
    rf_autoerror rf_error *error = NULL;
    enum rf_probe found = probe(env, &error);
    if (found == RF_PROBE_DONE) {
        emit_step(env, RF_SKIPPED, env->started, NULL);
        return 0;
    }
    if (found == RF_PROBE_TODO && change(walk, env, &error) >= 0)
        return 1;
    emit_step(env, RF_STATE_FAILED, env->started, error);
    if (err)
        *err = RF_STEAL(error);
    return rf_wrap(err, "%s", env->step->title);
}

static bool count_step(struct walk *walk, int outcome)
{
    pthread_mutex_lock(&walk->lock);
    walk->summary.applied += outcome == 1;
    walk->summary.skipped += outcome == 0;
    walk->failed |= outcome < 0;
    bool go_on = !walk->failed;
    pthread_mutex_unlock(&walk->lock);
    return go_on;
}

struct lane {
    struct walk *walk;
    struct rf_step_env env; /* its own: `step` and `started` differ per lane */
    size_t first, end;      /* the group */
    unsigned number;
    rf_error *error;
    pthread_t thread;
};

static void *run_lane(void *data)
{
    struct lane *lane = data;
    for (size_t i = lane->first; i < lane->end; i++) {
        const struct rf_step *step = &lane->walk->plan->steps[i];
        if (step->lane != lane->number || step->phase != lane->walk->options->phase)
            continue;
        lane->env.step = step;
        if (!count_step(lane->walk, take_step(lane->walk, &lane->env, &lane->error)))
            break; /* this lane's own failure, or another's */
    }
    return NULL;
}

static struct lane *lanes_of(struct walk *walk, const struct rf_step_env *env, size_t first, size_t end,
                             size_t *ret_count)
{
    struct lane *lanes = NULL;
    size_t count = 0;
    for (size_t i = first; i < end; i++) {
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known |= lanes[j].number == walk->plan->steps[i].lane;
        if (known)
            continue;
        struct lane *lane = rf_array_add(&lanes, &count, sizeof(*lane));
        *lane =
            (struct lane){.walk = walk, .env = *env, .first = first, .end = end, .number = walk->plan->steps[i].lane};
    }
    *ret_count = count;
    return lanes;
}

static int run_group(struct walk *walk, const struct rf_step_env *env, size_t first, size_t end, rf_error **err)
{
    size_t count;
    rf_autofree struct lane *lanes = lanes_of(walk, env, first, end, &count);
    for (size_t i = 1; i < count; i++)
        if (pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]) != 0)
            abort();
    run_lane(&lanes[0]); /* here: commands die with the thread that started them (PR_SET_PDEATHSIG) */
    for (size_t i = 1; i < count; i++)
        pthread_join(lanes[i].thread, NULL);
    int outcome = 0;
    for (size_t i = 0; i < count; i++) {
        if (!lanes[i].error)
            continue;
        if (outcome == 0 && err)
            *err = RF_STEAL(lanes[i].error);
        rf_error_free(lanes[i].error);
        outcome = -1;
    }
    return outcome;
}

/* A group: one step without a lane, or a run of steps that have one, up to the next barrier. */
static size_t group_end(const rf_plan *plan, size_t first)
{
    size_t end = first + 1;
    if (plan->steps[first].lane)
        while (end < plan->count && plan->steps[end].lane && !plan->steps[end].barrier)
            end++;
    return end;
}

int rf_plan_apply(const rf_plan *plan, struct rf_step_env *env, const struct rf_apply_options *options,
                  struct rf_apply_summary *summary, rf_error **err)
{
    struct walk walk = {.plan = plan, .options = options};
    pthread_mutex_init(&walk.lock, NULL);
    int outcome = 0;
    for (size_t first = 0, end; first < plan->count && outcome == 0; first = end) {
        end = group_end(plan, first);
        outcome = run_group(&walk, env, first, end, err);
    }
    pthread_mutex_destroy(&walk.lock);
    if (summary)
        *summary = walk.summary;
    return outcome;
}

void rf_step_progress(struct rf_step_env *env, uint64_t done, uint64_t total, const char *unit)
{
    double now = rf_now();
    if (now - env->progressed < 0.5 && done != total)
        return;
    env->progressed = now;
    rf_emit(env->events, &(struct rf_event){.step = env->step->id,
                                            .title = env->step->title,
                                            .state = RF_PROGRESS,
                                            .seconds = now - env->started,
                                            .done = done,
                                            .total = total,
                                            .unit = unit});
}
