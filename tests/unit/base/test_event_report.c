/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The webhook against a web server on the loopback: in order, spooled while it is down, and the last word of a killed run. */
#include "base/event.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/unit/base/receiver.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct fixture {
    char *directory, *spool, *said, *url;
    int port_fd;
    unsigned port;
    struct receiver receiver;
    bool open;
    int stderr_before;
};

/* What the reporter prints goes to a file, which its child inherits. */
static void start(struct fixture *self)
{
    *self = (struct fixture){.directory = unit_directory()};
    self->spool = rf_format("%s/report.spool", self->directory);
    self->said = rf_format("%s/stderr", self->directory);
    self->port_fd = receiver_port(&self->port);
    self->url = rf_format("http://user:secret@127.0.0.1:%u/services/secret?token=secret", self->port);
    self->stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    rf_autofd int said = open(self->said, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(said, STDERR_FILENO);
}

static void finish(struct fixture *self)
{
    dup2(self->stderr_before, STDERR_FILENO);
    close(self->stderr_before);
    if (self->open)
        receiver_close(&self->receiver);
    else
        close(self->port_fd);
    rf_remove_tree(self->directory, NULL);
    free(self->directory);
    free(self->spool);
    free(self->said);
    free(self->url);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static void come_up(struct fixture *self, const char *status)
{
    receiver_start(&self->receiver, self->port_fd, self->port, status);
    self->open = true;
}

static rf_events *events_to(const struct fixture *self, const char *spool, unsigned flush_seconds)
{
    rf_events *events = rf_events_new("n1");
    rf_sink *sink = rf_sink_report(self->url, spool, flush_seconds, NULL);
    assert_non_null(sink);
    rf_events_add(events, sink);
    return events;
}

static void emit(rf_events *events, const char *step, enum rf_state state, const char *message)
{
    rf_emit(events, &(struct rf_event){.step = step, .state = state, .message = message, .seconds = -1});
}

/* "STATE MESSAGE" of an event. */
static void assert_event(const char *line, const char *state, const char *message)
{
    rf_autojson json_t *event = json_loads(line, 0, NULL);
    assert_non_null(event);
    assert_string_equal(rf_json_string(event, "state"), state);
    if (message)
        assert_string_equal(rf_json_string(event, "message"), message);
}

/* What was printed holds this (NULL: nothing was printed), and no secret in any case. */
static void assert_said(const struct fixture *self, const char *part)
{
    rf_autofree char *text = NULL;
    assert_int_equal(rf_read_file(self->said, 1 << 20, &text, NULL, NULL), 0);
    assert_null(strstr(text, "secret"));
    if (part ? !strstr(text, part) : *text)
        fail_msg("\"%s\" was printed, not \"%s\"", text, part ? part : "");
}

static void everything_arrives_in_order(void **state)
{
    FIXTURE(self);
    come_up(&self, "204 No Content\r\n");
    rf_events *events = events_to(&self, self.spool, 20);
    emit(events, NULL, RF_STARTED, "first");
    for (int i = 0; i < 30; i++) {
        rf_autofree char *message = rf_format("step %d", i);
        emit(events, "s", RF_DONE, message);
    }
    emit(events, NULL, RF_DONE, "last");
    rf_events_free(events);
    assert_int_equal(self.receiver.count, 32);
    assert_event(self.receiver.bodies[0], "started", "first");
    for (int i = 0; i < 30; i++) {
        rf_autofree char *message = rf_format("step %d", i);
        assert_event(self.receiver.bodies[i + 1], "done", message);
    }
    assert_event(self.receiver.bodies[31], "done", "last");
    assert_false(rf_exists(self.spool));
    assert_said(&self, NULL);
}

/* The receiver is down for a whole run, which goes on all the same; the next run brings the events, before its own. */
static void a_run_without_receiver_is_spooled(void **state)
{
    FIXTURE(self);
    rf_events *events = events_to(&self, self.spool, 1);
    emit(events, NULL, RF_STARTED, "one");
    emit(events, "s", RF_DONE, "two");
    emit(events, NULL, RF_DONE, "three");
    rf_events_free(events);
    struct stat status;
    assert_int_equal(stat(self.spool, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    rf_autofree char *address = rf_format("report.url: http://127.0.0.1:%u/…: ", self.port);
    rf_autofree char *end = rf_format("report.url: 3 events not delivered; kept for the next run in %s\n", self.spool);
    assert_said(&self, address);
    assert_said(&self, "; the events are kept and sent again\n");
    assert_said(&self, end);

    come_up(&self, "200 OK\r\n");
    events = events_to(&self, self.spool, 20);
    emit(events, NULL, RF_STARTED, "four");
    emit(events, NULL, RF_DONE, "five");
    rf_events_free(events);
    static const char *const messages[] = {"one", "two", "three", "four", "five"};
    assert_int_equal(self.receiver.count, RF_COUNT(messages));
    for (size_t i = 0; i < RF_COUNT(messages); i++)
        assert_event(self.receiver.bodies[i], i == 0 || i == 3 ? "started" : "done", messages[i]);
    assert_false(rf_exists(self.spool));
}

/* The receiver comes back while the run is at its end: the rest leaves before the release ends. */
static void the_release_waits_for_the_receiver(void **state)
{
    FIXTURE(self);
    rf_events *events = events_to(&self, NULL, 20);
    emit(events, NULL, RF_STARTED, "one");
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL); /* the first attempt has failed */
    come_up(&self, "204 No Content\r\n");
    emit(events, NULL, RF_DONE, "two");
    rf_events_free(events);
    assert_int_equal(self.receiver.count, 2);
    assert_event(self.receiver.bodies[0], "started", "one");
    assert_event(self.receiver.bodies[1], "done", "two");
}

static void without_a_spool_the_loss_is_said(void **state)
{
    FIXTURE(self);
    rf_events *events = events_to(&self, NULL, 1);
    emit(events, NULL, RF_DONE, "one");
    rf_events_free(events);
    assert_said(&self, "report.url: 1 event not delivered and lost\n");
}

/* Under systemd standard error is the journal, which is told by its own protocol: nothing may stand there twice. */
static void nothing_is_printed_into_the_journal(void **state)
{
    FIXTURE(self);
    struct stat status;
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    rf_autofree char *stream = rf_format("%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    rf_events *events = events_to(&self, NULL, 1);
    emit(events, NULL, RF_DONE, "one");
    rf_events_free(events);
    unsetenv("JOURNAL_STREAM");
    assert_said(&self, NULL);
}

static void a_spool_that_cannot_be_written_is_said(void **state)
{
    FIXTURE(self);
    rf_autofree char *spool = rf_format("%s/absent/spool", self.directory);
    rf_events *events = events_to(&self, spool, 1);
    emit(events, NULL, RF_DONE, "one");
    rf_events_free(events);
    assert_said(&self, "report.url: 1 event not delivered and lost\n");
}

/* An event that the receiver refuses does not hold up the others, and is not kept. */
static void refused_events_are_counted(void **state)
{
    FIXTURE(self);
    come_up(&self, "400 Bad Request\r\n");
    rf_events *events = events_to(&self, self.spool, 20);
    emit(events, NULL, RF_STARTED, "one");
    emit(events, NULL, RF_DONE, "two");
    rf_events_free(events);
    assert_int_equal(self.receiver.count, 2);
    assert_false(rf_exists(self.spool));
    assert_said(&self, "answered with status 400; this event is not sent again\n");
    assert_said(&self, "report.url: 2 events refused by the receiver and lost\n");
}

/* A process that dies without a word (SIGKILL, the OOM killer) is reported as failed, with what it had said last. */
static void a_killed_run_is_reported_as_failed(void **state)
{
    FIXTURE(self);
    come_up(&self, "204 No Content\r\n");
    pid_t child = fork();
    if (child == 0) {
        rf_events *events = events_to(&self, self.spool, 20);
        emit(events, NULL, RF_STARTED, "begins");
        emit(events, "array/system", RF_DONE, "made");
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    receiver_wait(&self.receiver, 3);
    const char *failed = NULL;
    for (size_t i = 0; i < self.receiver.count; i++)
        if (strstr(self.receiver.bodies[i], "\"failed\""))
            failed = self.receiver.bodies[i];
    assert_non_null(failed);
    assert_event(failed, "failed", "the program ended without a last word (killed, or out of memory)");
    rf_autojson json_t *event = json_loads(failed, 0, NULL);
    assert_string_equal(rf_json_string(event, "machine"), "n1");
    assert_int_equal(rf_json_integer(event, "code", 0), RF_FAILED);
    const json_t *log = json_object_get(event, "log");
    assert_string_equal(json_string_value(json_array_get(log, 0)), "run started: begins");
    assert_string_equal(json_string_value(json_array_get(log, 1)), "array/system done: made");
}

/* Somebody who takes connections and never answers costs the run nothing. */
static void a_silent_receiver_holds_nothing_up(void **state)
{
    FIXTURE(self);
    assert_int_equal(listen(self.port_fd, 16), 0);
    pid_t child = fork(); /* its release would wait for the answer */
    if (child == 0) {
        rf_events *events = events_to(&self, self.spool, 1);
        alarm(5);
        for (int i = 0; i < 2000; i++)
            emit(events, "s", RF_PROGRESS, "still there");
        emit(events, NULL, RF_DONE, "done");
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    unsetenv("http_proxy");
    unsetenv("JOURNAL_STREAM");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_in_order),         cmocka_unit_test(a_run_without_receiver_is_spooled),
        cmocka_unit_test(the_release_waits_for_the_receiver),  cmocka_unit_test(without_a_spool_the_loss_is_said),
        cmocka_unit_test(nothing_is_printed_into_the_journal), cmocka_unit_test(a_spool_that_cannot_be_written_is_said),
        cmocka_unit_test(refused_events_are_counted),          cmocka_unit_test(a_killed_run_is_reported_as_failed),
        cmocka_unit_test(a_silent_receiver_holds_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
