/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people see while it works. */
#include "base/event.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/repetition.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

struct console {
    int fd;
    char *path; /* where it is opened again; NULL: the caller's own descriptor */
    bool terminal;
    bool open_line; /* a redrawn progress line stands without its newline */
    unsigned tenth; /* of the last progress line, where nothing is redrawn */
    char step[64];  /* whose progress that was */
    struct rf_repetitions repetitions;
};

struct console_sink {
    rf_sink sink;
    struct console *consoles;
    size_t count;
};

static int open_console(const char *path)
{
    return open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

/* Whoever offers a login on a console hangs it up first (vhangup(2), agetty(8)); from then on each write(2) to a descriptor that was
 * open before ends with EIO, and only a new one works. */
static bool open_again(struct console *console)
{
    int fd = console->path ? open_console(console->path) : -1;
    if (fd < 0)
        return false;
    close(console->fd);
    console->fd = fd;
    return true;
}

/* A console that takes nothing for half a second (a serial line without a reader) loses the line; the run goes on. */
static ssize_t put(const struct console *console, const char *text, size_t size)
{
    struct pollfd ready = {console->fd, POLLOUT, 0};
    errno = 0;
    return poll(&ready, 1, 500) > 0 ? write(console->fd, text, size) : -1;
}

static void say(struct console *console, const char *text)
{
    bool again = false;
    for (size_t left = strlen(text); left > 0;) {
        ssize_t wrote = put(console, text, left);
        if (wrote < 0 && errno == EIO && !again && open_again(console)) {
            again = true;
            continue;
        }
        if (wrote < 0)
            return;
        text += wrote;
        left -= (size_t)wrote;
    }
}

static char *amount(const struct rf_event *event)
{
    if (!event->unit)
        return rf_strdup("");
    bool bytes = strcmp(event->unit, "bytes") == 0;
    double rate = event->seconds > 0.5 ? (double)event->done / event->seconds : 0;
    rf_autofree char *done =
        bytes ? rf_size_text(event->done) : rf_format("%ju %s", (uintmax_t)event->done, event->unit);
    char *text = rf_format(", %s", done);
    if (event->total) {
        rf_autofree char *total = bytes ? rf_size_text(event->total) : rf_format("%ju", (uintmax_t)event->total);
        rf_append(&text, " of %s (%u %%)", total, (unsigned)(event->done * 100 / event->total));
    }
    if (bytes && rate > 0) {
        rf_autofree char *speed = rf_size_text((uint64_t)rate);
        rf_append(&text, ", %s/s", speed);
    }
    return text;
}

static const char *label(const struct rf_event *event)
{
    return event->title ? event->title : event->step ? event->step : "run";
}

static char *line_of(const struct rf_event *event)
{
    static const char *const marks[] = {
        [RF_STARTED] = "  ..  ", [RF_PROGRESS] = "  ..  ",     [RF_DONE] = "  ok  ",
        [RF_SKIPPED] = "  --  ", [RF_STATE_FAILED] = "FAILED", [RF_WAITING] = " wait ",
    };
    char *line = rf_format("[%s] ", marks[event->state]);
    if (event->step || event->title)
        rf_append(&line, "%s", label(event));
    if (event->state == RF_SKIPPED)
        rf_append(&line, " (already done)");
    if (event->message)
        rf_append(&line, "%s%s", event->step || event->title ? ": " : "", event->message);
    if (event->state == RF_PROGRESS) {
        rf_autofree char *much = amount(event);
        rf_append(&line, "%s", much);
    } else if (event->state != RF_STARTED && event->seconds >= 0.05) {
        rf_autofree char *time = rf_seconds_text(event->seconds);
        rf_append(&line, " (%s)", time);
    }
    return line;
}

/* Where lines can't be redrawn, progress is worth a line at each tenth only, and the same words now and then. */
static bool worth_a_line(struct console *console, const struct rf_event *event)
{
    const char *step = event->step ? event->step : "";
    if (strncmp(console->step, step, sizeof(console->step) - 1) != 0) {
        snprintf(console->step, sizeof(console->step), "%s", step);
        console->tenth = 0;
    }
    if (event->message)
        return !event->step || rf_repetition_worth(&console->repetitions, step, event->message, rf_now());
    unsigned tenth = event->total ? (unsigned)(event->done * 10 / event->total) : 0;
    if (tenth <= console->tenth)
        return false;
    console->tenth = tenth;
    return true;
}

static void show(struct console *console, const struct rf_event *event, const char *line)
{
    bool redraw = console->terminal && (event->state == RF_PROGRESS || event->state == RF_STARTED) && event->step;
    if (!redraw && event->state == RF_STARTED && event->step)
        return; /* its end follows, or its progress */
    if (!redraw && event->state == RF_PROGRESS && !worth_a_line(console, event))
        return;
    rf_autofree char *text = rf_format("%s%s%s", console->open_line ? "\r\033[K" : "", line,
                                       redraw              ? ""
                                       : console->terminal ? "\r\n"
                                                           : "\n");
    console->open_line = redraw;
    say(console, text);
}

static void console_emit(rf_sink *sink, const struct rf_event *event, const char *json)
{
    (void)json;
    struct console_sink *self = (struct console_sink *)sink;
    rf_autofree char *line = line_of(event);
    for (size_t i = 0; i < self->count; i++)
        show(&self->consoles[i], event, line);
}

static void console_release(rf_sink *sink)
{
    struct console_sink *self = (struct console_sink *)sink;
    for (size_t i = 0; i < self->count; i++) {
        if (self->consoles[i].open_line)
            say(&self->consoles[i], "\n");
        if (self->consoles[i].path)
            close(self->consoles[i].fd);
        free(self->consoles[i].path);
        rf_repetitions_clear(&self->consoles[i].repetitions);
    }
    free(self->consoles);
    free(self);
}

static struct console_sink *make(void)
{
    static const struct rf_sink_ops ops = {"console", console_emit, console_release};
    struct console_sink *self = rf_alloc(sizeof(*self));
    self->sink.ops = &ops;
    return self;
}

rf_sink *rf_sink_console(int fd)
{
    struct console_sink *self = make();
    struct console *console = rf_array_add(&self->consoles, &self->count, sizeof(*console));
    *console = (struct console){.fd = fd, .terminal = isatty(fd)};
    return &self->sink;
}

rf_sink *rf_sink_consoles(const char *names)
{
    struct console_sink *self = make();
    rf_autofree char *active = names ? rf_strdup(names) : rf_read_line("/sys/class/tty/console/active");
    char *rest = active, *name;
    while ((name = strsep(&rest, " "))) {
        rf_autofree char *path = rf_format("/dev/%s", name);
        int fd = *name ? open_console(path) : -1;
        if (fd < 0)
            continue;
        struct console *console = rf_array_add(&self->consoles, &self->count, sizeof(*console));
        /* Serial lines end in log files and provider panels: plain lines there, no redrawing. */
        *console = (struct console){.fd = fd, .path = RF_STEAL(path), .terminal = false};
    }
    return &self->sink;
}
