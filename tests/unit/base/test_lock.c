/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/command.h"
#include "base/lock.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void nobody(void *data, const char *holder)
{
    (void)data;
    fail_msg("waited for %s", holder);
}

static void note(void *data, const char *holder)
{
    *(char **)data = rf_strdup(holder);
}

/* A process that holds the lock until it is killed; its pid. */
static pid_t hold(const char *path)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
        struct rf_lock lock = {0};
        if (rf_lock_take(path, "richtfest apply --node", nobody, NULL, &lock, NULL, NULL) < 0 ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void one_after_the_other(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/one", unit_scratch());
    rf_error *error = NULL;
    bool waited = true;
    for (size_t i = 0; i < 2; i++) {
        struct rf_lock lock = {0};
        assert_int_equal(rf_lock_take(path, "me", nobody, NULL, &lock, &waited, &error), 0);
        assert_false(waited);
        assert_int_equal(unit_mode(path), 0600);
        rf_lock_release(&lock);
        rf_lock_release(&lock);
    }
}

/* Kills the holder as soon as it is told of it, so the wait ends by itself. */
struct killing {
    pid_t holder;
    char *text;
};

static void end_holder(void *data, const char *holder)
{
    struct killing *killing = data;
    killing->text = rf_strdup(holder);
    kill(killing->holder, SIGKILL);
}

static void who_holds_it_is_said_and_its_end_is_the_end_of_the_wait(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/held", unit_scratch());
    struct killing killing = {.holder = hold(path)};
    rf_autolock struct rf_lock lock = {0};
    bool waited = false;
    assert_int_equal(rf_lock_take(path, "me", end_holder, &killing, &lock, &waited, NULL), 0);
    assert_true(waited);
    rf_autofree char *text = killing.text,
                     *begin = rf_format("richtfest apply --node (process %d, since 20", (int)killing.holder);
    assert_non_null(strstr(text, begin));
    assert_int_equal(waitpid(killing.holder, NULL, 0), killing.holder);
    rf_autofree char *now = NULL;
    assert_int_equal(rf_read_file(path, 1000, &now, NULL, NULL), 0);
    assert_non_null(strstr(now, "me (process "));
}

/* A command that outlives this program (a daemon that it started) must not keep the next one waiting. */
static void no_command_inherits_it(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/inherited", unit_scratch());
    rf_autorunner rf_runner *runner = rf_runner_real();
    rf_autofree char *text = NULL;
    struct rf_lock lock = {0};
    assert_int_equal(rf_lock_take(path, "me", nobody, NULL, &lock, NULL, NULL), 0);
    assert_true(fcntl(lock.fd, F_GETFD) & FD_CLOEXEC); /* the runner closes everything, libraries' commands do not */
    assert_int_equal(rf_run_output(runner, RF_ARGV("ls", "-l", "/proc/self/fd"), &text, NULL), 0);
    assert_null(strstr(text, "inherited"));
    rf_lock_release(&lock);
    bool waited = true;
    assert_int_equal(rf_lock_take(path, "me", note, &(char *){NULL}, &lock, &waited, NULL), 0);
    assert_false(waited);
    rf_lock_release(&lock);
}

static void what_can_not_be_locked_is_an_error(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/not/there", unit_scratch());
    rf_error *error = NULL;
    struct rf_lock lock = {0};
    assert_int_equal(rf_lock_take(path, "me", nobody, NULL, &lock, NULL, &error), -1);
    assert_error_has(error, "not/there, which keeps two from changing one node, can't be opened");
    assert_false(lock.held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(who_holds_it_is_said_and_its_end_is_the_end_of_the_wait),
        cmocka_unit_test(no_command_inherits_it),
        cmocka_unit_test(what_can_not_be_locked_is_an_error),
    };
    return cmocka_run_group_tests(tests, unit_scratch_open, unit_scratch_close);
}
