/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/report_queue.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

#include <string.h>

enum {
    SPOOL_MAX = 16 << 20,
    BACKLOG = 64,     /* from here on superseded progress is thrown away */
    QUEUE_MAX = 8192, /* a receiver that is dead for ever must not eat the memory */
    LOG_LINES = 20,
};

struct rf_report_queue {
    char *spool;
    char **lines;
    size_t first, count;  /* lines[first .. count) are pending */
    char *log[LOG_LINES]; /* ring of the last lines as people read them */
    size_t logged;
    json_t *open_run; /* the run's last event, until its `done` or `failed` came */
    bool ended;       /* it has come: what follows belongs to no run, until one is `started` */
};

static void push(struct rf_report_queue *queue, const char *line)
{
    if (queue->first > 0 && queue->first == queue->count)
        queue->first = queue->count = 0;
    *(char **)rf_array_add(&queue->lines, &queue->count, sizeof(*queue->lines)) = rf_strdup(line);
}

static void push_spool(struct rf_report_queue *queue, const char *spool)
{
    rf_autofree char *text = NULL;
    if (!spool || rf_read_file(spool, SPOOL_MAX, &text, NULL, NULL) < 0)
        return;
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n")))
        if (*line)
            push(queue, line);
}

struct rf_report_queue *rf_report_queue_new(const char *spool)
{
    struct rf_report_queue *queue = rf_alloc(sizeof(*queue));
    queue->spool = rf_strdup(spool);
    push_spool(queue, spool);
    return queue;
}

void rf_report_queue_free(struct rf_report_queue *queue)
{
    if (!queue)
        return;
    for (size_t i = queue->first; i < queue->count; i++)
        free(queue->lines[i]);
    for (size_t i = 0; i < LOG_LINES; i++)
        free(queue->log[i]);
    free(queue->lines);
    free(queue->spool);
    json_decref(queue->open_run);
    free(queue);
}

static bool has_state(const json_t *event, const char *state)
{
    const char *found = rf_json_string(event, "state");
    return found && strcmp(found, state) == 0;
}

static void log_line(struct rf_report_queue *queue, const json_t *event)
{
    if (has_state(event, "progress"))
        return;
    const char *step = rf_json_string(event, "step"), *message = rf_json_string(event, "message");
    const char *state = rf_json_string(event, "state");
    char **slot = &queue->log[queue->logged++ % LOG_LINES];
    free(*slot);
    *slot =
        rf_format("%s %s%s%s", step ? step : "run", state ? state : "", message ? ": " : "", message ? message : "");
}

static void add_log(struct rf_report_queue *queue, json_t *event)
{
    if (json_object_get(event, "log"))
        return;
    json_t *log = json_array();
    size_t start = queue->logged > LOG_LINES ? queue->logged - LOG_LINES : 0;
    for (size_t i = start; i < queue->logged; i++)
        json_array_append_new(log, json_string(queue->log[i % LOG_LINES]));
    json_object_set_new(event, "log", log);
}

static void push_event(struct rf_report_queue *queue, const json_t *event)
{
    rf_autofree char *text = json_dumps(event, JSON_COMPACT);
    if (text)
        push(queue, text);
}

/* Whether the pending line is progress of the same step: then the newer one says it all. */
static bool supersedes(const json_t *event, const char *pending)
{
    rf_autojson json_t *old = json_loads(pending, 0, NULL);
    const char *step = rf_json_string(event, "step"), *old_step = rf_json_string(old, "step");
    return old && has_state(event, "progress") && has_state(old, "progress") && step && old_step &&
           strcmp(step, old_step) == 0;
}

static void follow_run(struct rf_report_queue *queue, json_t *event)
{
    bool step = json_object_get(event, "step");
    bool last = !step && (has_state(event, "done") || has_state(event, "failed"));
    bool first = !step && has_state(event, "started");
    queue->ended = last || (queue->ended && !first);
    json_decref(queue->open_run);
    queue->open_run = queue->ended ? NULL : json_incref(event);
}

void rf_report_queue_add(struct rf_report_queue *queue, const char *line)
{
    rf_autojson json_t *event = json_loads(line, 0, NULL);
    if (!event)
        return;
    log_line(queue, event);
    if (has_state(event, "failed") && !json_object_get(event, "step"))
        add_log(queue, event);
    follow_run(queue, event);
    size_t pending = queue->count - queue->first;
    if (pending > BACKLOG && supersedes(event, queue->lines[queue->count - 1]))
        free(queue->lines[--queue->count]);
    if (pending >= QUEUE_MAX)
        rf_report_queue_drop(queue);
    push_event(queue, event);
}

/* Where time is short, the failure is the news: it goes before everything that led to it. */
static void failure_first(struct rf_report_queue *queue)
{
    if (queue->count - queue->first < 2)
        return;
    char *line = queue->lines[queue->count - 1];
    rf_autojson json_t *event = json_loads(line, 0, NULL);
    if (!has_state(event, "failed") || json_object_get(event, "step"))
        return;
    memmove(&queue->lines[queue->first + 1], &queue->lines[queue->first],
            (queue->count - 1 - queue->first) * sizeof(*queue->lines));
    queue->lines[queue->first] = line;
}

static void add_last_word(struct rf_report_queue *queue)
{
    if (!queue->open_run)
        return;
    rf_autojson json_t *failed = json_object();
    static const char *const kept[] = {"time", "machine", "run"};
    for (size_t i = 0; i < RF_COUNT(kept); i++)
        json_object_set(failed, kept[i], json_object_get(queue->open_run, kept[i]));
    json_object_set_new(failed, "state", json_string("failed"));
    json_object_set_new(failed, "code", json_integer(RF_FAILED));
    json_object_set_new(failed, "message",
                        json_string("the program ended without a last word (killed, or out of memory)"));
    add_log(queue, failed);
    push_event(queue, failed);
    json_decref(queue->open_run);
    queue->open_run = NULL;
}

void rf_report_queue_finish(struct rf_report_queue *queue)
{
    add_last_word(queue);
    failure_first(queue);
}

const char *rf_report_queue_head(const struct rf_report_queue *queue)
{
    return queue->first < queue->count ? queue->lines[queue->first] : NULL;
}

void rf_report_queue_drop(struct rf_report_queue *queue)
{
    if (queue->first < queue->count)
        free(queue->lines[queue->first++]);
}

size_t rf_report_queue_count(const struct rf_report_queue *queue)
{
    return queue->count - queue->first;
}

/* As many of the newest lines as a reader takes. */
static char *spool_text(const struct rf_report_queue *queue, size_t *ret_size)
{
    size_t first = queue->count, size = 0;
    while (first > queue->first && size + strlen(queue->lines[first - 1]) + 1 <= SPOOL_MAX)
        size += strlen(queue->lines[--first]) + 1;
    char *text = rf_alloc(size + 1), *end = text;
    for (size_t i = first; i < queue->count; i++)
        end = stpcpy(stpcpy(end, queue->lines[i]), "\n");
    *ret_size = size;
    return text;
}

int rf_report_queue_save(struct rf_report_queue *queue, rf_error **err)
{
    if (!queue->spool)
        return 0;
    if (!rf_report_queue_head(queue)) {
        unlink(queue->spool);
        return 0;
    }
    size_t size;
    rf_autofree char *text = spool_text(queue, &size);
    return rf_write_file(queue->spool, text, size, 0600, err);
}

static void guard_queue(struct rf_report_queue **queue)
{
    rf_report_queue_free(*queue);
}
#define autoqueue RF_CLEANUP(guard_queue)

size_t rf_report_spool_count(const char *spool, char **ret_since)
{
    autoqueue struct rf_report_queue *queue = rf_report_queue_new(spool);
    rf_autojson json_t *first = queue->count ? json_loads(queue->lines[0], 0, NULL) : NULL;
    *ret_since = rf_strdup(rf_json_string(first, "time"));
    return rf_report_queue_count(queue);
}

int rf_report_spool_move(const char *from, const char *to, rf_error **err)
{
    autoqueue struct rf_report_queue *queue = rf_report_queue_new(to);
    size_t before = rf_report_queue_count(queue);
    push_spool(queue, from);
    if (rf_report_queue_count(queue) == before)
        return 0;
    if (rf_report_queue_save(queue, err) < 0)
        return -1;
    unlink(from);
    return 0;
}
