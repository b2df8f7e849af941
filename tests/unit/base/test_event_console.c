/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole run as people see it: on a console that keeps lines, and on a terminal that redraws them (tests/golden/base). */
#include "base/event.h"
#include "base/file.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

static void progress(rf_events *events, const char *step, const char *title, double seconds, uint64_t done,
                     uint64_t total, const char *unit)
{
    rf_emit(events, &(struct rf_event){.step = step,
                                       .title = title,
                                       .state = RF_PROGRESS,
                                       .seconds = seconds,
                                       .done = done,
                                       .total = total,
                                       .unit = unit});
}

static void step(rf_events *events, enum rf_state state, const char *id, const char *title, double seconds,
                 const char *message)
{
    rf_emit(events,
            &(struct rf_event){.step = id, .title = title, .state = state, .seconds = seconds, .message = message});
}

static void a_run(rf_events *events)
{
    rf_emit_message(events, RF_STARTED, "Richtfest 1.0: node n1, 4 steps to do");
    step(events, RF_STARTED, "medium", "Check the medium", -1, NULL);
    for (uint64_t done = 0; done <= 100; done += 4)
        progress(events, "medium", "Check the medium", (double)done / 10, done * 1000000, 100000000, "bytes");
    step(events, RF_DONE, "medium", "Check the medium", 10.04, NULL);
    step(events, RF_SKIPPED, "partition/1", "Partition disk 1", 0.2, NULL);
    step(events, RF_STARTED, "guest", "Start dc1", -1, NULL);
    step(events, RF_PROGRESS, "guest", "Start dc1", 3, "cloud-init: at work");
    step(events, RF_PROGRESS, "guest", "Start dc1", 4, "cloud-init: at work");
    progress(events, "guest", "Start dc1", 5, 2, 9, "stages");
    progress(events, "guest", "Start dc1", 6, 3, 0, "stages");
    step(events, RF_WAITING, "guest", "Start dc1", 65.4, "no network yet");
    step(events, RF_STATE_FAILED, "guest", "Start dc1", 600, "it does not answer");
    rf_emit_message(events, RF_STATE_FAILED, "Start dc1: it does not answer");
}

static void run_on(int fd)
{
    rf_autoevents rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_console(fd));
    a_run(events);
}

static void lines_where_nothing_is_redrawn(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = rf_format("%s/console", directory), *text = NULL;
    rf_autofd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    run_on(fd);
    assert_int_equal(rf_read_file(path, 1 << 16, &text, NULL, NULL), 0);
    unit_golden("tests/golden/base/run.console", text);
    rf_remove_tree(directory, NULL);
}

/* A guest that takes its time says the same for many minutes; the other sinks get each of them. */
static void the_same_words_are_said_twice_at_once_at_most(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = rf_format("%s/console", directory), *text = NULL;
    rf_autofree char *stream = rf_format("%s/events.jsonl", directory), *all = NULL;
    rf_autofd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_console(fd));
    rf_events_add(events, rf_sink_file(stream, NULL));
    for (unsigned i = 0; i < 5; i++)
        rf_emit(events, &(struct rf_event){
                            .step = "health/x", .title = "Wait", .state = RF_PROGRESS, .seconds = -1, .message = "no"});
    rf_events_free(events);
    assert_int_equal(rf_read_file(path, 1 << 16, &text, NULL, NULL), 0);
    assert_string_equal(text, "[  ..  ] Wait: no\n[  ..  ] Wait: no\n");
    assert_int_equal(rf_read_file(stream, 1 << 16, &all, NULL, NULL), 0);
    size_t lines = 0;
    for (const char *c = all; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 5);
    rf_remove_tree(directory, NULL);
}

/* Control characters as a person can read them: a golden file must not redraw itself. */
static char *readable(const char *text)
{
    static const char redraw[] = "\r\033[K";
    char *all = rf_strdup("");
    for (const char *c = text; *c; c++)
        if (strncmp(c, redraw, strlen(redraw)) == 0) {
            rf_append(&all, "<redrawn>\n");
            c += strlen(redraw) - 1;
        } else if (*c == '\r') {
            rf_append(&all, "<CR>");
        } else {
            rf_append(&all, *c == '\033' ? "<ESC>" : "%c", *c);
        }
    return all;
}

static void a_terminal_redraws_its_last_line(void **state)
{
    (void)state;
    int ours, theirs;
    struct termios raw = {0};
    cfmakeraw(&raw);
    if (openpty(&ours, &theirs, NULL, &raw, NULL) < 0) {
        print_message("skipped: no pseudo terminal\n");
        skip();
    }
    run_on(theirs);
    rf_autofree char *seen = rf_alloc(1 << 16);
    for (size_t size = 0; poll(&(struct pollfd){ours, POLLIN, 0}, 1, 100) > 0;) {
        ssize_t got = read(ours, seen + size, (1 << 16) - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    close(ours);
    close(theirs);
    rf_autofree char *text = readable(seen);
    unit_golden("tests/golden/base/run.terminal", text);
}

/* A serial line without a reader must not hold the run. */
static void a_console_that_takes_nothing_loses_lines(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    char full[4096] = "";
    while (write(ends[1], full, sizeof(full)) > 0)
        ;
    rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_console(ends[1]));
    rf_emit_message(events, RF_STARTED, "lost");
    rf_events_free(events);
    close(ends[0]);
    close(ends[1]);
}

/* As agetty does it when it offers a login on the console of a node that is at work. */
static void a_console_that_was_hung_up_is_opened_again(void **state)
{
    (void)state;
    rf_autofd int master = -1, slave = -1;
    char name[64] = "", text[512] = "";
    assert_int_equal(openpty(&master, &slave, name, NULL, NULL), 0);
    rf_autoevents rf_events *events = rf_events_new("n1");
    rf_events_add(events, rf_sink_consoles(name + strlen("/dev/")));
    rf_emit_message(events, RF_DONE, "before");
    assert_true(read(master, text, sizeof(text) - 1) > 0);
    assert_non_null(strstr(text, "before"));
    if (ioctl(slave, TIOCVHANGUP) < 0) {
        print_message("skipped: TIOCVHANGUP needs root\n");
        skip();
    }
    rf_emit_message(events, RF_STATE_FAILED, "behind");
    memset(text, 0, sizeof(text));
    assert_int_equal(poll(&(struct pollfd){master, POLLIN, 0}, 1, 2000), 1);
    assert_true(read(master, text, sizeof(text) - 1) > 0);
    assert_non_null(strstr(text, "behind"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_where_nothing_is_redrawn),
        cmocka_unit_test(the_same_words_are_said_twice_at_once_at_most),
        cmocka_unit_test(a_terminal_redraws_its_last_line),
        cmocka_unit_test(a_console_that_takes_nothing_loses_lines),
        cmocka_unit_test(a_console_that_was_hung_up_is_opened_again),
    };
    return cmocka_run_group_tests_name("base/event_console", tests, NULL, NULL);
}
