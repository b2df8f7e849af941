/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The webhook. A child process of its own does the sending: a slow or dead receiver never holds up the work, and when this
 * process dies on any path (a bug, the OOM killer, SIGKILL) the child sees the pipe end without the run's last word and
 * sends a `failed` in its place.
 */
#include "base/event.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/report_queue.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PIPE_ROOM = 1 << 20, LINE_MAX_BYTES = 256 << 10, PAUSE_MAX = 30 };

struct reporter { /* the child's state */
    const char *url, *spool;
    unsigned flush_seconds;
    int pipe;
    char *partial; /* a line that has not wholly arrived */
    size_t partial_size;
    struct rf_report_queue *queue;
    bool ended;
    bool complained;
    bool saved;     /* what is pending stands in the spool, too */
    size_t refused; /* events that the receiver does not take */
    double next_attempt;
    unsigned pause;
};

static void take_lines(struct reporter *self)
{
    char *start = self->partial, *newline;
    size_t left = self->partial_size;
    while ((newline = memchr(start, '\n', left))) {
        *newline = '\0';
        rf_report_queue_add(self->queue, start);
        left -= (size_t)(newline + 1 - start);
        start = newline + 1;
    }
    memmove(self->partial, start, left);
    self->partial_size = left < LINE_MAX_BYTES ? left : 0;
}

static void read_pipe(struct reporter *self)
{
    self->partial = realloc(self->partial, self->partial_size + 65536);
    if (!self->partial)
        abort();
    ssize_t got = read(self->pipe, self->partial + self->partial_size, 65536);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        self->ended = true;
        rf_report_queue_finish(self->queue);
        self->next_attempt = 0; /* one more try at once: the end is the news */
        return;
    }
    self->partial_size += (size_t)got;
    take_lines(self);
}

/* As systemd says it (systemd.exec(5), $JOURNAL_STREAM): what is printed here is in the journal already. */
static bool is_journal(int fd)
{
    const char *named = getenv("JOURNAL_STREAM");
    struct stat status;
    if (!named || fstat(fd, &status) < 0)
        return false;
    rf_autofree char *number = rf_format("%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(number, named) == 0;
}

/* To whoever looks: the terminal or console of this process, and the journal. */
static void warn(const char *format, ...) RF_PRINTF(1, 2);

static void warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *text = rf_format_list(format, args);
    va_end(args);
    if (!is_journal(STDERR_FILENO))
        fprintf(stderr, "richtfest: warning: report.url: %s\n", text);
    rf_autofree char *message = rf_format("report.url: %s", text);
    rf_autojson json_t *line = json_pack("{s:s,s:s}", "state", rf_state_name(RF_WAITING), "message", message);
    rf_autofree char *json = line ? json_dumps(line, JSON_COMPACT) : rf_strdup("{}");
    rf_sink *journal = rf_sink_journal();
    journal->ops->emit(journal, &(struct rf_event){.state = RF_WAITING, .message = message}, json);
    journal->ops->release(journal);
}

/* Once a run: the first reason. How it ended says report_loop. */
static void complain(struct reporter *self, const rf_error *error, const char *what)
{
    if (self->complained)
        return;
    self->complained = true;
    rf_autofree char *why = rf_error_text(error);
    warn("%s; %s", why, what);
}

static void save(struct reporter *self)
{
    rf_autoerror rf_error *error = NULL;
    self->saved = rf_report_queue_save(self->queue, &error) == 0 && self->spool;
    if (error)
        complain(self, error, "the events are in memory only");
}

static void send_next(struct reporter *self)
{
    rf_autoerror rf_error *error = NULL;
    if (rf_post_json(self->url, rf_report_queue_head(self->queue), 10, &error) == 0) {
        rf_report_queue_drop(self->queue);
        self->pause = 0;
        self->next_attempt = 0;
        return;
    }
    if (rf_error_code(error) == RF_BAD_PROFILE) { /* one event that the receiver refuses must not hold up the rest */
        complain(self, error, "this event is not sent again");
        rf_report_queue_drop(self->queue);
        self->refused++;
        return;
    }
    complain(self, error, "the events are kept and sent again");
    save(self);
    self->pause = self->pause ? self->pause * 2 : 1;
    if (self->pause > PAUSE_MAX)
        self->pause = PAUSE_MAX;
    self->next_attempt = rf_now() + self->pause;
}

static void wait_for_work(struct reporter *self)
{
    double wait = -1;
    if (rf_report_queue_head(self->queue))
        wait = self->next_attempt - rf_now() > 0 ? self->next_attempt - rf_now() : 0;
    struct pollfd in = {self->ended ? -1 : self->pipe, POLLIN | POLLHUP, 0};
    if (self->ended && wait > 1)
        wait = 1; /* the deadline is near */
    if (poll(&in, 1, wait < 0 ? -1 : (int)(wait * 1000)) > 0 && in.revents)
        read_pipe(self);
}

static void tell_end(const struct reporter *self)
{
    size_t left = rf_report_queue_count(self->queue);
    if (left && self->saved)
        warn("%zu event%s not delivered; kept for the next run in %s", left, left == 1 ? "" : "s", self->spool);
    else if (left)
        warn("%zu event%s not delivered and lost", left, left == 1 ? "" : "s");
    if (self->refused)
        warn("%zu event%s refused by the receiver and lost", self->refused, self->refused == 1 ? "" : "s");
}

__attribute__((noreturn)) static void report_loop(struct reporter *self)
{
    double deadline = 0;
    while (!self->ended || (rf_report_queue_head(self->queue) && rf_now() < deadline)) {
        wait_for_work(self);
        if (self->ended && deadline == 0)
            deadline = rf_now() + self->flush_seconds;
        if (rf_report_queue_head(self->queue) && rf_now() >= self->next_attempt)
            send_next(self);
    }
    save(self);
    tell_end(self);
    _exit(rf_report_queue_head(self->queue) ? 1 : 0);
}

struct report_sink {
    rf_sink sink;
    int pipe;
    pid_t child;
};

static void report_emit(rf_sink *sink, const struct rf_event *event, const char *line)
{
    struct report_sink *self = (struct report_sink *)sink;
    rf_autofree char *text = rf_format("%s\n", line);
    size_t size = strlen(text), sent = 0;
    /* The pipe holds thousands of lines. Where it is full all the same, progress is dropped and the rest is waited for. */
    while (sent < size) {
        ssize_t wrote = write(self->pipe, text + sent, size - sent);
        if (wrote > 0)
            sent += (size_t)wrote;
        else if (errno != EAGAIN && errno != EINTR)
            return; /* the child is gone */
        else if (event->state == RF_PROGRESS && sent == 0)
            return;
        else
            poll(&(struct pollfd){self->pipe, POLLOUT, 0}, 1, 1000);
    }
}

static void report_release(rf_sink *sink)
{
    struct report_sink *self = (struct report_sink *)sink;
    close(self->pipe);
    while (waitpid(self->child, NULL, 0) < 0 && errno == EINTR)
        ;
    free(self);
}

/* Whatever other threads had open at the fork is not ours to hold: a pipe kept here would never end there. */
static void close_others(int pipe)
{
    if (pipe > 3)
        close_range(3, (unsigned)pipe - 1, 0);
    close_range((unsigned)pipe + 1, ~0U, 0);
}

/* The child outlives its parent on purpose, and signals meant for the foreground job do not end it: it ends by itself,
 * `flush_seconds` after the pipe has ended. */
__attribute__((noreturn)) static void become_reporter(const char *url, const char *spool, unsigned flush_seconds,
                                                      int pipe)
{
    setsid();
    prctl(PR_SET_NAME, "richtfest-rep");
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    close_others(pipe);
    struct reporter self = {.url = url, .spool = spool, .flush_seconds = flush_seconds, .pipe = pipe};
    self.queue = rf_report_queue_new(spool);
    report_loop(&self);
}

rf_sink *rf_sink_report(const char *url, const char *spool, unsigned flush_seconds, rf_error **err)
{
    static const struct rf_sink_ops ops = {"report", report_emit, report_release};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        rf_fail_errno(err, RF_FAILED, errno, "no pipe for the reporter");
        return NULL;
    }
    fcntl(ends[1], F_SETPIPE_SZ, PIPE_ROOM);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        become_reporter(url, spool, flush_seconds, ends[0]);
    }
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        rf_fail_errno(err, RF_FAILED, errno, "the reporter can't be started");
        return NULL;
    }
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    struct report_sink *self = rf_alloc(sizeof(*self));
    *self = (struct report_sink){{&ops}, ends[1], child};
    return &self->sink;
}
