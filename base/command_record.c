/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runners that tests use: record, replay, dry, fault. */
#include "base/command.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

/* argv as one readable line: words that hold anything unusual in single quotes. */
static char *argv_line(const char *const *argv)
{
    char *line = NULL;
    for (size_t i = 0; argv[i]; i++) {
        bool plain = argv[i][0] && strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                                   "-_=+,.:/@%") == strlen(argv[i]);
        rf_append(&line, plain ? "%s%s" : "%s'%s'", i ? " " : "", argv[i]);
    }
    return line;
}

struct record {
    rf_runner runner;
    rf_runner *inner;
    int fd;
};

static int record_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    struct record *self = (struct record *)runner;
    if (rf_run_status(self->inner, command, result, err) < 0)
        return -1;
    rf_autojson json_t *argv = json_array();
    for (size_t i = 0; command->argv[i]; i++)
        json_array_append_new(argv, json_string(command->argv[i]));
    rf_autojson json_t *row = json_pack("{s:O,s:i,s:s%,s:s}", "argv", argv, "status", result->status, "out",
                                        result->out, result->out_size, "err", result->err);
    rf_autofree char *text = row ? json_dumps(row, JSON_COMPACT) : NULL; /* NULL: the output is no UTF-8 */
    if (!text)
        return 0;
    rf_autofree char *line = rf_format("%s\n", text);
    if (write(self->fd, line, strlen(line)) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the recording can't be written");
    return 0;
}

static void record_release(rf_runner *runner)
{
    struct record *self = (struct record *)runner;
    rf_runner_free(self->inner);
    rf_guard_fd(&self->fd);
    free(self);
}

rf_runner *rf_runner_record(rf_runner *inner, const char *path)
{
    static const struct rf_runner_ops ops = {"record", record_run, record_release};
    struct record *self = rf_alloc(sizeof(*self));
    *self = (struct record){{&ops}, inner, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    return &self->runner;
}

struct replay {
    rf_runner runner;
    char *path, *text, *rest;
    unsigned line;
};

static int differs(const struct replay *self, const json_t *argv, const struct rf_command *command, rf_error **err)
{
    rf_autofree const char **words = rf_alloc((json_array_size(argv) + 1) * sizeof(*words));
    for (size_t i = 0; i < json_array_size(argv); i++)
        words[i] = json_string_value(json_array_get(argv, i));
    rf_autofree char *recorded = argv_line(words);
    rf_autofree char *wanted = argv_line(command->argv);
    if (recorded && strcmp(recorded, wanted) == 0)
        return 0;
    return rf_fail(err, RF_FAILED, "%s:%u: recorded `%s`, but `%s` was to be run", self->path, self->line,
                   recorded ? recorded : "", wanted);
}

static int replay_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    struct replay *self = (struct replay *)runner;
    char *line = strsep(&self->rest, "\n");
    self->line++;
    rf_autojson json_t *row = line && *line ? json_loads(line, 0, NULL) : NULL;
    if (!row) {
        rf_autofree char *wanted = argv_line(command->argv);
        return rf_fail(err, RF_FAILED, "%s: the recording ends before `%s`", self->path, wanted);
    }
    if (differs(self, json_object_get(row, "argv"), command, err) < 0)
        return -1;
    const json_t *out = json_object_get(row, "out");
    result->status = (int)rf_json_integer(row, "status", 0);
    result->out = rf_format("%s", json_is_string(out) ? json_string_value(out) : "");
    result->out_size = strlen(result->out);
    const char *said = rf_json_string(row, "err");
    result->err = rf_strdup(said ? said : "");
    return 0;
}

static void replay_release(rf_runner *runner)
{
    struct replay *self = (struct replay *)runner;
    free(self->path);
    free(self->text);
    free(self);
}

rf_runner *rf_runner_replay(const char *path, rf_error **err)
{
    static const struct rf_runner_ops ops = {"replay", replay_run, replay_release};
    char *text = NULL;
    if (rf_read_file(path, 64U << 20, &text, NULL, err) < 0)
        return NULL;
    struct replay *self = rf_alloc(sizeof(*self));
    *self = (struct replay){{&ops}, rf_strdup(path), text, text, 0};
    return &self->runner;
}

struct dry {
    rf_runner runner;
    pthread_mutex_t lock;
    char *text;
};

static int dry_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    (void)err;
    struct dry *self = (struct dry *)runner;
    rf_autofree char *line = argv_line(command->argv);
    pthread_mutex_lock(&self->lock);
    rf_append(&self->text, "%s%s\n", line, command->input ? " <…" : "");
    pthread_mutex_unlock(&self->lock);
    *result = (struct rf_result){0, rf_strdup(""), 0, rf_strdup("")};
    return 0;
}

static void dry_release(rf_runner *runner)
{
    struct dry *self = (struct dry *)runner;
    pthread_mutex_destroy(&self->lock);
    free(self->text);
    free(self);
}

rf_runner *rf_runner_dry(void)
{
    static const struct rf_runner_ops ops = {"dry", dry_run, dry_release};
    struct dry *self = rf_alloc(sizeof(*self));
    self->runner.ops = &ops;
    self->text = rf_strdup("");
    pthread_mutex_init(&self->lock, NULL);
    return &self->runner;
}

const char *rf_runner_dry_text(const rf_runner *runner)
{
    return ((const struct dry *)runner)->text;
}

struct fault {
    rf_runner runner;
    rf_runner *inner;
    unsigned nth, seen;
    int status;
};

static int fault_run(rf_runner *runner, const struct rf_command *command, struct rf_result *result, rf_error **err)
{
    struct fault *self = (struct fault *)runner;
    if (__atomic_add_fetch(&self->seen, 1, __ATOMIC_RELAXED) != self->nth)
        return rf_run_status(self->inner, command, result, err);
    if (self->status < 0)
        raise(SIGKILL);
    *result = (struct rf_result){self->status, rf_strdup(""), 0, rf_format("fault injected at command %u", self->nth)};
    return 0;
}

static void fault_release(rf_runner *runner)
{
    struct fault *self = (struct fault *)runner;
    rf_runner_free(self->inner);
    free(self);
}

rf_runner *rf_runner_fault(rf_runner *inner, unsigned nth, int status)
{
    static const struct rf_runner_ops ops = {"fault", fault_run, fault_release};
    struct fault *self = rf_alloc(sizeof(*self));
    *self = (struct fault){{&ops}, inner, nth, 0, status};
    return &self->runner;
}
