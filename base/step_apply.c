/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walking a plan: probe, apply, verify, with an event at each turn. */
#include "base/memory.h"
#include "base/step.h"
#include "base/units.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

enum ending { NOT_YET, WELL, BADLY };

struct walk { /* what the lanes of one run share */
    const rf_plan *plan;
    const struct rf_apply_options *options;
    struct rf_apply_summary summary;
    bool failed;
    enum ending *endings; /* of each step */
    pthread_mutex_t lock;
    pthread_cond_t ended;
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

static bool count_step(struct walk *walk, const struct rf_step *step, int outcome)
{
    pthread_mutex_lock(&walk->lock);
    walk->summary.applied += outcome == 1;
    walk->summary.skipped += outcome == 0;
    walk->failed |= outcome < 0 && !step->independent;
    walk->endings[step - walk->plan->steps] = outcome < 0 ? BADLY : WELL;
    bool go_on = !walk->failed && outcome >= 0;
    pthread_cond_broadcast(&walk->ended);
    pthread_mutex_unlock(&walk->lock);
    return go_on;
}

/* The step that `step` waits for, among the earlier ones; a plan whose steps wait for later ones would wait for ever. */
static const struct rf_step *awaited(const rf_plan *plan, const struct rf_step *step)
{
    for (const struct rf_step *other = plan->steps; step->after && other < step; other++)
        if (strcmp(other->id, step->after) == 0)
            return other;
    return NULL;
}

/* 0: it may begin, 1: the run has failed meanwhile, -1: what it waits for has failed. */
static int wait_for(struct walk *walk, const struct rf_step *step, rf_error **err)
{
    const struct rf_step *other = awaited(walk->plan, step);
    if (!step->after)
        return 0;
    if (!other)
        return rf_fail(err, RF_FAILED, "not begun: there is no step '%s' before it", step->after);
    if (other->phase != walk->options->phase)
        return 0; /* another run's: it was done before this one */
    pthread_mutex_lock(&walk->lock);
    while (walk->endings[other - walk->plan->steps] == NOT_YET && !walk->failed)
        pthread_cond_wait(&walk->ended, &walk->lock);
    enum ending ending = walk->endings[other - walk->plan->steps];
    bool stop = walk->failed;
    pthread_mutex_unlock(&walk->lock);
    if (stop)
        return 1;
    if (ending == WELL || step->after_any)
        return 0;
    return rf_fail(err, RF_FAILED, "not begun, because this has failed: %s", other->title);
}

/* What is left of a lane that has ended early will never end well. */
static void give_up(struct walk *walk, const struct rf_step *from, size_t end)
{
    pthread_mutex_lock(&walk->lock);
    for (size_t i = (size_t)(from - walk->plan->steps); i < end; i++)
        if (walk->plan->steps[i].lane == from->lane && walk->endings[i] == NOT_YET)
            walk->endings[i] = BADLY;
    pthread_cond_broadcast(&walk->ended);
    pthread_mutex_unlock(&walk->lock);
}

struct lane {
    struct walk *walk;
    struct rf_step_env env; /* its own: `step` and `started` differ per lane */
    size_t first, end;      /* the group */
    unsigned number;
    rf_error *error;
    pthread_t thread;
};

static bool run_step(struct lane *lane, const struct rf_step *step)
{
    lane->env.step = step;
    int waited = wait_for(lane->walk, step, &lane->error);
    if (waited < 0) {
        emit_step(&lane->env, RF_STATE_FAILED, 0, lane->error);
        rf_wrap(&lane->error, "%s", step->title);
    }
    if (waited)
        return false;
    return count_step(lane->walk, step, take_step(lane->walk, &lane->env, &lane->error));
}

static void *run_lane(void *data)
{
    struct lane *lane = data;
    for (size_t i = lane->first; i < lane->end; i++) {
        const struct rf_step *step = &lane->walk->plan->steps[i];
        if (step->lane != lane->number || step->phase != lane->walk->options->phase)
            continue;
        if (run_step(lane, step))
            continue;
        give_up(lane->walk, step, lane->end); /* this lane's own failure, or another's */
        break;
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

/* The lanes' errors as one. What failed while working is worth another try, whatever else does not mend itself: that counts. */
static int join_errors(struct lane *lanes, size_t count, rf_error **err)
{
    size_t failed = 0;
    enum rf_code code = RF_OK;
    rf_autofree char *text = NULL;
    rf_autoerror rf_error *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!lanes[i].error)
            continue;
        rf_autofree char *line = rf_error_text(lanes[i].error);
        rf_append(&text, "\n%s", line);
        if (code == RF_OK || rf_error_code(lanes[i].error) == RF_FAILED)
            code = rf_error_code(lanes[i].error);
        if (failed++)
            rf_error_free(lanes[i].error);
        else
            first = lanes[i].error;
    }
    if (failed > 1)
        return rf_fail(err, code, "%zu things have failed:%s", failed, text);
    if (failed && err)
        *err = RF_STEAL(first);
    return failed ? -1 : 0;
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
    return join_errors(lanes, count, err);
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
    rf_autofree enum ending *endings = rf_alloc((plan->count + 1) * sizeof(*endings));
    struct walk walk = {.plan = plan, .options = options, .endings = endings};
    pthread_mutex_init(&walk.lock, NULL);
    pthread_cond_init(&walk.ended, NULL);
    int outcome = 0;
    for (size_t first = 0, end; first < plan->count && outcome == 0; first = end) {
        end = group_end(plan, first);
        outcome = run_group(&walk, env, first, end, err);
    }
    pthread_cond_destroy(&walk.ended);
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
