/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/node_lock.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>

/* What a process that has to wait says first. It is killed then, as by Ctrl-C; the caller frees the text. */
static char *said_while_waiting(const char *directory)
{
    int ends[2];
    char text[1000] = "";
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct rf_lock lock = {0};
        dup2(ends[1], STDERR_FILENO);
        rf_node_lock(directory, "richtfest guest delete", &lock, NULL, NULL);
        _exit(0);
    }
    close(ends[1]);
    const ssize_t got = read(ends[0], text, sizeof(text) - 1);
    close(ends[0]);
    int status = 0;
    kill(child, SIGINT);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(got >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    return rf_strdup(text);
}

static void who_has_to_wait_is_told_for_whom(void **state)
{
    (void)state;
    rf_autofree char *directory = rf_format("%s/run", unit_scratch());
    rf_autolock struct rf_lock lock = {0};
    bool waited = true;
    assert_int_equal(rf_node_lock(directory, "richtfest apply --node", &lock, &waited, NULL), 0);
    assert_false(waited);
    assert_int_equal(unit_mode(directory), 0700);
    rf_autofree char *text = said_while_waiting(directory);
    rf_autofree char *begin =
        rf_format("richtfest: waiting for richtfest apply --node (process %d, since ", (int)getpid());
    assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
    assert_non_null(strstr(text, "Ctrl-C ends the waiting"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_has_to_wait_is_told_for_whom)};
    return cmocka_run_group_tests(tests, unit_scratch_open, unit_scratch_close);
}
