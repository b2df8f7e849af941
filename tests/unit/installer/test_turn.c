/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "base/paths.h"
#include "installer/turn.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void the_second_waits_until_the_first_is_gone(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *file = rf_format("%s/lock", directory);
    rf_autofree char *stream = rf_format("%s/events", directory), *said = NULL;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t first = fork();
    if (first == 0) {
        rf_events *events = rf_events_new("first");
        int turn = rf_turn_take(events, file, NULL);
        if (turn < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        usleep(300000);
        raise(SIGKILL); /* nothing is tidied up */
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    rf_events *events = rf_events_new("second");
    rf_events_add(events, rf_sink_file(stream, NULL));
    int turn = rf_turn_take(events, file, NULL);
    assert_true(turn >= 0);
    int status;
    assert_int_equal(waitpid(first, &status, 0), first);
    assert_true(WIFSIGNALED(status));
    rf_events_free(events);
    assert_int_equal(rf_read_file(stream, 65536, &said, NULL, NULL), 0);
    assert_non_null(strstr(said, "\"waiting\""));
    assert_non_null(strstr(said, "for the end of another run"));
    close(turn);
    close(ready[0]);
    close(ready[1]);
    rf_remove_tree(directory, NULL);
}

static void nobody_there_is_no_word(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *file = rf_format("%s/lock", directory);
    rf_error *error = NULL;
    for (int i = 0; i < 2; i++) {
        int turn = rf_turn_take(NULL, file, NULL); /* would crash where it had something to say */
        assert_true(turn >= 0);
        close(turn);
    }
    rf_autofree char *nowhere = rf_format("%s/none/lock", directory);
    assert_int_equal(rf_turn_take(NULL, nowhere, &error), -1);
    assert_error_has(error, "/none/lock");
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_waits_until_the_first_is_gone),
        cmocka_unit_test(nobody_there_is_no_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
