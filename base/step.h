/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan is an ordered list of steps; apply walks it. Progress, events, dry runs, resume and the tests' kill points all
 * derive from this list. Resume needs no journal: every step probes the real state first.
 */
#pragma once

#include "base/command.h"
#include "base/event.h"

enum rf_probe { RF_PROBE_ERROR = -1, RF_PROBE_TODO = 0, RF_PROBE_DONE = 1 };

/* What a step works with. */
struct rf_step_env {
    rf_runner *runner;
    rf_events *events;
    const struct rf_step *step; /* the one at work; set by the driver */
    double started;             /* its start (CLOCK_MONOTONIC, seconds); set by the driver */
    double progressed;          /* when its last progress event left */
};

/* One row of a room's step table. `arg` is the step's own object, made by the planner. */
struct rf_step_ops {
    const char *name; /* "partition", "array", "filesystem", … */

    /* Is it done already? Reads the real state and changes nothing. NULL: never done, always applied. */
    enum rf_probe (*probe)(struct rf_step_env *env, const void *arg, rf_error **err);

    /* Does it. May be repeated after a kill at any point. */
    int (*apply)(struct rf_step_env *env, const void *arg, rf_error **err);

    /* Looks again, from the outside, that it holds. NULL: the probe is asked once more (and must say done). */
    int (*verify)(struct rf_step_env *env, const void *arg, rf_error **err);
};

/* Where a step runs: the installer (live system), the node after its first boot, or the workstation (image build). */
enum rf_phase { RF_PHASE_INSTALL, RF_PHASE_NODE, RF_PHASE_BUILD };

struct rf_step {
    const struct rf_step_ops *ops;
    char *id;        /* "partition/1": unique in the plan; the name of events and kill points */
    char *title;     /* what a person reads */
    char *destroys;  /* what is lost when it is applied, or NULL */
    const void *arg; /* owned by whoever made the plan; outlives it */
    enum rf_phase phase;
    unsigned lane; /* 0: alone. Consecutive steps with lanes > 0 run side by side, each lane in its own order */
    bool barrier;  /* with a lane: everything before it ends before it begins */
    char *after; /* with a lane: the id of an earlier step that must have ended well before this one begins; or NULL */
    bool after_any;   /* it need only have ended, well or not */
    bool independent; /* with a lane: its failure ends its own lane and nothing else */
    bool done;        /* the planner's view, from the machine description: not printed, still probed */
};

typedef struct rf_plan {
    struct rf_step *steps;
    size_t count;
} rf_plan;

/* An empty plan; freed by rf_plan_free. */
rf_plan *rf_plan_new(void);
void rf_plan_free(rf_plan *plan);
RF_GUARD(rf_plan, rf_plan_free);
#define rf_autoplan RF_CLEANUP(rf_guard_rf_plan)

/* Appends a step and returns it (valid until the next call); the title is formatted. `id` is copied. */
struct rf_step *rf_plan_add(rf_plan *plan, const struct rf_step_ops *ops, const void *arg, enum rf_phase phase,
                            const char *id, const char *format, ...) RF_PRINTF(6, 7);

/* Puts the step number `index` behind all others, whose order stays. Pointers to steps are not valid any more. What waits for it (`after`) must
 * stand behind it then, too. */
void rf_plan_to_end(rf_plan *plan, size_t index);

/* Sets what the step waits for; `id` is copied. */
void rf_step_after(struct rf_step *step, const char *id, bool any);

/* How many steps of `phase` the planner thinks are still to do. */
size_t rf_plan_todo(const rf_plan *plan, enum rf_phase phase);

/* The plan as text: steps still to do, numbered, with what they destroy; "Nothing to do." where there are none. The
 * same bytes on every machine. The caller frees it. */
char *rf_plan_text(const rf_plan *plan);
json_t *rf_plan_json(const rf_plan *plan);

struct rf_apply_options {
    enum rf_phase phase;
    const char
        *kill_at; /* "STEP-ID:before", "STEP-ID:probed", "STEP-ID:applied", "STEP-ID:after": the process is killed by
                            SIGKILL there; NULL: never. For tests. */
};

struct rf_apply_summary {
    size_t applied, skipped;
};

/* Walks the steps of one phase: probe, apply, verify, with events for each. Stops at the first failure (lanes under way
 * are waited for), but for one of an independent step: there the other lanes go on to their ends, except for steps that wait for what
 * failed; those say so. Blocks. Repeating it is safe. `summary` may be NULL. Several failures come back as one error with a line
 * each. */
int rf_plan_apply(const rf_plan *plan, struct rf_step_env *env, const struct rf_apply_options *options,
                  struct rf_apply_summary *summary, rf_error **err);

/* Called by a step at work: how far it is. Cheap (at most two events a second leave). To be
 * called from the step's own thread. */
void rf_step_progress(struct rf_step_env *env, uint64_t done, uint64_t total, const char *unit);
