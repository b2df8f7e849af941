/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run that a program reads on standard output, which is a file here. */
#include "base/json.h"
#include "installer/session.h"
#include "tests/unit/unit.h"

#include <fcntl.h>

struct desk {
    struct rf_session session;
    char *directory, *out, *events;
    int kept; /* the tests' own standard output */
};

static void open_desk(struct desk *desk, const char *events)
{
    *desk = (struct desk){.directory = unit_directory()};
    desk->out = rf_format("%s/out", desk->directory);
    desk->events = rf_format("%s/%s", desk->directory, events);
    fflush(stdout);
    desk->kept = dup(STDOUT_FILENO);
    rf_autofd int fd = open(desk->out, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    rf_session_open(&desk->session, RF_AUDIENCE_JSON, desk->events, "unnamed");
}

/* The run is over: nothing of ours goes to standard output any more. May be repeated. */
static void end(struct desk *desk)
{
    rf_session_close(&desk->session);
    if (desk->kept >= 0)
        dup2(desk->kept, STDOUT_FILENO);
    rf_guard_fd(&desk->kept);
    desk->kept = -1;
}

static void close_desk(struct desk *desk)
{
    end(desk);
    rf_remove_tree(desk->directory, NULL);
    free(desk->directory);
    free(desk->out);
    free(desk->events);
}

#define autodesk RF_CLEANUP(close_desk)

/* The last event of that file; the caller frees it. */
static json_t *last_of(const char *path)
{
    rf_autofree char *text = NULL;
    assert_int_equal(rf_read_file(path, 1 << 20, &text, NULL, NULL), 0);
    const size_t length = strlen(text);
    assert_true(length > 0 && text[length - 1] == '\n');
    text[length - 1] = '\0';
    const char *line = strrchr(text, '\n');
    json_t *json = json_loads(line ? line + 1 : text, 0, NULL);
    assert_non_null(json);
    return json;
}

static void both_get_the_last_word(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, "events.jsonl");
    rf_session_end(&desk.session, NULL, "the profile is fulfilled");
    end(&desk);
    const char *const files[] = {desk.out, desk.events};
    for (size_t i = 0; i < RF_COUNT(files); i++) {
        rf_autojson json_t *last = last_of(files[i]);
        assert_string_equal(rf_json_string(last, "state"), "done");
        assert_string_equal(rf_json_string(last, "message"), "the profile is fulfilled");
        assert_string_equal(rf_json_string(last, "machine"), "unnamed");
    }
}

static void a_failure_has_its_reason_and_code(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_autoerror rf_error *error = NULL;
    rf_fail(&error, RF_BAD_MACHINE, "it has one disk");
    rf_wrap(&error, "this machine does not fit");
    open_desk(&desk, "events.jsonl");
    rf_session_end(&desk.session, error, "not said");
    end(&desk);
    rf_autojson json_t *last = last_of(desk.events);
    assert_string_equal(rf_json_string(last, "state"), "failed");
    assert_string_equal(rf_json_string(last, "message"), "this machine does not fit: it has one disk");
    assert_int_equal(rf_json_integer(last, "code", 0), RF_BAD_MACHINE);
}

static void a_place_that_cannot_be_written_ends_no_run(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, "not/there/events.jsonl");
    end(&desk);
    rf_autojson json_t *last = last_of(desk.out);
    assert_string_equal(rf_json_string(last, "state"), "progress");
    assert_non_null(strstr(rf_json_string(last, "message"), "; going on without it"));
}

/* Until there is a profile the machine has the name that its firmware knows. */
static void the_profile_gives_the_machine_its_name(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, "events.jsonl");
    rf_session_report(&desk.session, NULL, NULL, NULL);
    rf_session_end(&desk.session, NULL, "x");
    rf_autojson json_t *before = last_of(desk.events);
    rf_session_report(&desk.session, "musterkunde-n1", NULL, NULL);
    rf_session_end(&desk.session, NULL, "x");
    end(&desk);
    rf_autojson json_t *after = last_of(desk.events);
    assert_string_equal(rf_json_string(before, "machine"), "unnamed");
    assert_string_equal(rf_json_string(after, "machine"), "musterkunde-n1");
    assert_string_equal(rf_json_string(before, "run"), rf_json_string(after, "run"));
}

static int run_true(const struct desk *desk)
{
    return rf_run_argv(desk->session.runner, RF_ARGV("true"), NULL);
}

/* What tests ask for by the environment. */
static void faults_and_recordings(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_autofree char *top = unit_directory(), *record = rf_format("%s/record", top), *text = NULL;
    setenv("RICHTFEST_FAIL_COMMAND", "2", 1);
    setenv("RICHTFEST_RECORD", record, 1);
    open_desk(&desk, "events.jsonl");
    unsetenv("RICHTFEST_FAIL_COMMAND");
    unsetenv("RICHTFEST_RECORD");
    const int first = run_true(&desk), second = run_true(&desk), third = run_true(&desk);
    end(&desk);
    assert_int_equal(first, 0);
    assert_int_equal(second, -1);
    assert_int_equal(third, 0);
    assert_int_equal(rf_read_file(record, 65536, &text, NULL, NULL), 0);
    assert_non_null(strstr(text, "\"argv\""));
    rf_remove_tree(top, NULL);
}

static void where_a_run_is_to_be_killed(void **state)
{
    (void)state;
    setenv("RICHTFEST_KILL_AT", "array/data", 1);
    rf_autofree char *asked = rf_session_kill_at();
    unsetenv("RICHTFEST_KILL_AT");
    rf_autofree char *none = rf_session_kill_at(); /* nor does this kernel's command line say */
    assert_string_equal(asked, "array/data");
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_get_the_last_word),
        cmocka_unit_test(a_failure_has_its_reason_and_code),
        cmocka_unit_test(a_place_that_cannot_be_written_ends_no_run),
        cmocka_unit_test(the_profile_gives_the_machine_its_name),
        cmocka_unit_test(faults_and_recordings),
        cmocka_unit_test(where_a_run_is_to_be_killed),
    };
    return cmocka_run_group_tests_name("installer/session", tests, NULL, NULL);
}
