/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running other programs. A command is an argv vector, never a shell line. Who runs it is a variant behind an ops struct:
 * the real runner, one that records, one that replays a recording, one that fails the nth command. Code that runs tools is
 * tested by the exact commands that it would run.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A NULL-terminated argv in place: RF_ARGV("mdadm", "--stop", device). */
#define RF_ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Commands that answer at once get this; whoever unpacks or downloads says more. */
#define RF_COMMAND_SECONDS 60

/* More output than this (either stream) is cut from the front: the end is what explains a failure. */
#define RF_COMMAND_OUTPUT_MAX (4U << 20)

struct rf_command {
    const char *const *argv; /* argv[0] is looked up in PATH */
    const char *input;       /* standard input, or NULL for none; secrets travel here, never in argv */
    size_t input_size;
    unsigned seconds;       /* the whole group is killed after this; 0 means RF_COMMAND_SECONDS */
    const char *const *env; /* "NAME=value" additions, or NULL; LC_ALL=C.UTF-8 is always set */
    const char *cwd;        /* or NULL */
    void (*on_output)(void *data, const char *text, size_t size); /* each chunk of either stream as it comes, or NULL */
    void *data;
};

struct rf_result {
    int status; /* exit status; 128 + signal where a signal ended it (as a shell says it) */
    char *out;  /* never NULL after a run; NUL-terminated */
    size_t out_size;
    char *err;
};

void rf_result_clear(struct rf_result *result);
#define rf_autoresult RF_CLEANUP(rf_result_clear)

typedef struct rf_runner rf_runner;

struct rf_runner_ops {
    const char *name;
    int (*run)(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err);
    void (*release)(rf_runner *runner); /* frees the runner itself */
};

struct rf_runner {
    const struct rf_runner_ops *ops;
};

/* Runs to the end and reports the status, whatever it is; -1 only where nothing ran or the time was up. Blocks. `result`
 * is filled on success only; the caller clears it. May be called from several threads. */
int rf_run_status(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err);

/* The same, and any status but 0 is a failure (RF_FAILED) that names the command and its own last words. */
int rf_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err);

/* The common case: argv only, output not wanted. */
int rf_run_argv(rf_runner *runner, const char *const *argv, rf_error **err);

/* The common case: argv only, standard output wanted (NUL-terminated, the caller frees it). */
int rf_run_output(rf_runner *runner, const char *const *argv, char **ret_out, rf_error **err);

void rf_runner_free(rf_runner *runner);
RF_GUARD(rf_runner, rf_runner_free);
#define rf_autorunner RF_CLEANUP(rf_guard_rf_runner)

/* Forks and executes. Every descriptor but 0, 1, 2 is closed in the child, its group is its own, and it dies with us
 * (prctl(2), PR_SET_PDEATHSIG). */
rf_runner *rf_runner_real(void);

/* Runs through `inner` (owned) and appends one JSON line per command to `path` (0600): {"argv", "status", "out", "err"}.
 * Standard input is never recorded. */
rf_runner *rf_runner_record(rf_runner *inner, const char *path);

/* Answers from a recording and runs nothing. A command that differs from the recorded one at its place fails and prints
 * both. NULL and *err where the file can't be read. */
rf_runner *rf_runner_replay(const char *path, rf_error **err);

/* Runs nothing: every command succeeds with empty output, and the argv lines collect in a text that rf_runner_dry_text
 * returns (owned by the runner). For golden tests. */
rf_runner *rf_runner_dry(void);
const char *rf_runner_dry_text(const rf_runner *runner);

/* Runs through `inner` (owned), but the nth command (counted from 1) fails with `status`, or, where status is negative,
 * the whole process is killed by SIGKILL just before it: the fault as a parameter. */
rf_runner *rf_runner_fault(rf_runner *inner, unsigned nth, int status);
