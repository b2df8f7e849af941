/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files by their checksum, from a web server of our own. */
#include "base/digest.h"
#include "base/download.h"
#include "base/units.h"
#include "tests/unit/base/receiver.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>

#define CONTENT "0123456789"
#define OK(size, body) "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " size "\r\n\r\n" body
#define REST(size, body)                                                                                               \
    "HTTP/1.1 206 x\r\nConnection: close\r\nContent-Range: bytes 4-9/10\r\nContent-Length: " size "\r\n\r\n" body
#define NOT_FOUND "HTTP/1.1 404 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct desk {
    char *top, *path, *part, *url;
    char sha256[RF_SHA256_HEX];
    struct receiver server;
    uint64_t max, room;
    unsigned seconds;
    uint64_t heavy;
    bool one_place; /* else two, which are the same server */
    enum rf_fetch_fault fault;
};

static void open_desk(struct desk *desk, const char *const *answers)
{
    *desk = (struct desk){.top = unit_directory(), .max = 100};
    desk->path = rf_format("%s/file", desk->top);
    desk->part = rf_format("%s/.file.part", desk->top);
    rf_sha256(CONTENT, strlen(CONTENT), desk->sha256);
    receiver_answer(&desk->server, answers);
    desk->url = rf_format("http://user:secret@127.0.0.1:%u/file?token=secret", desk->server.port);
}

static void close_desk(struct desk *desk)
{
    receiver_close(&desk->server);
    rf_remove_tree(desk->top, NULL);
    free(desk->top);
    free(desk->path);
    free(desk->part);
    free(desk->url);
}

#define autodesk RF_CLEANUP(close_desk)

static int bring(struct desk *desk, rf_error **err)
{
    struct rf_step_env env = {0};
    const struct rf_download download = {.urls = ANSWERS(desk->url, desk->one_place ? NULL : desk->url),
                                         .sha256 = desk->sha256,
                                         .path = desk->path,
                                         .max = desk->max,
                                         .room = desk->room,
                                         .pause_max = 1,
                                         .seconds = desk->seconds,
                                         .heavy = desk->heavy};
    return rf_download(&download, &env, &desk->fault, err);
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(rf_write_file(path, text, strlen(text), 0600, NULL), 0);
}

static void assert_brought(const struct desk *desk)
{
    rf_autofree char *text = NULL;
    assert_int_equal(rf_read_file(desk->path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, CONTENT);
    assert_int_equal(unit_mode(desk->path), 0600);
    assert_false(rf_exists(desk->part));
}

static void a_file_is_fetched_once(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(OK("10", CONTENT)));
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
    assert_int_equal(bring(&desk, NULL), 0);
    assert_int_equal(desk.server.count, 1);
}

static void what_is_wrong_is_fetched_again(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(OK("10", CONTENT)));
    write_text(desk.path, "0123456780"); /* a bit has fallen over */
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
}

static void what_was_cut_off_goes_on_where_it_ended(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(REST("6", "456789")));
    write_text(desk.part, "0123");
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
    assert_non_null(strstr(desk.server.requests[0], "\r\nRange: bytes=4-\r\n"));
}

/* The connection breaks in the middle: the next attempt asks for the rest. */
static void a_broken_connection_costs_nothing(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(OK("10", "0123"), REST("6", "456789")));
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
    assert_non_null(strstr(desk.server.requests[1], "\r\nRange: bytes=4-\r\n"));
}

static void a_server_without_ranges_gives_the_whole(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(OK("10", CONTENT), OK("10", CONTENT)));
    write_text(desk.part, "0123");
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
}

static void the_beginning_of_another_file_is_thrown_away(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(REST("6", "456789"), OK("10", CONTENT)));
    write_text(desk.part, "abcd");
    desk.one_place = true;
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
    assert_null(strstr(desk.server.requests[1], "\r\nRange:"));
}

static void other_bytes_are_not_used(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(OK("10", "9876543210"), NOT_FOUND));
    assert_int_equal(bring(&desk, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    rf_autofree char *text = rf_error_text(error);
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "is wrong (SHA-256 "));
    assert_error_has(error, "status 404"); /* the second place */
    assert_int_equal(desk.fault, RF_FETCH_NO_ANSWER);
    assert_false(rf_exists(desk.path));
}

static void what_was_wrong_with_the_last_place_is_told(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(NOT_FOUND, OK("10", "9876543210"), OK("10", "9876543210")));
    assert_int_equal(bring(&desk, NULL), -1);
    assert_int_equal(desk.fault, RF_FETCH_WRONG);
    desk.one_place = true;
    desk.max = 9;
    assert_int_equal(bring(&desk, NULL), -1);
    assert_int_equal(desk.fault, RF_FETCH_TOO_LARGE);
    rf_remove_tree(desk.top, NULL);
    assert_int_equal(bring(&desk, NULL), -1);
    assert_int_equal(desk.fault, RF_FETCH_NO_ANSWER);
}

static void the_second_place_helps(void **state)
{
    (void)state;
    autodesk struct desk desk;
    open_desk(&desk, ANSWERS(NOT_FOUND, OK("10", CONTENT)));
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
}

static void too_large_is_refused_before_it_comes(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(OK("10", CONTENT), OK("10", CONTENT)));
    desk.max = 9;
    assert_int_equal(bring(&desk, &error), -1);
    assert_error_has(error, "larger than the 9 bytes allowed");
}

/* What an earlier run has left is no longer to be written. */
static void room_counts_what_is_still_to_come(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(REST("6", "456789"), REST("6", "456789"), REST("6", "456789")));
    write_text(desk.part, "0123");
    desk.room = 5;
    assert_int_equal(bring(&desk, &error), -1);
    assert_error_has(error, "larger than the 9 bytes allowed");
    desk.room = 6;
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
}

static void *bring_beside(void *data)
{
    return (void *)(intptr_t)bring(data, NULL);
}

static void two_at_once_fetch_one(void **state)
{
    (void)state;
    autodesk struct desk desk;
    pthread_t thread;
    void *outcome;
    open_desk(&desk, ANSWERS(OK("10", CONTENT)));
    assert_int_equal(pthread_create(&thread, NULL, bring_beside, &desk), 0);
    const int own = bring(&desk, NULL);
    pthread_join(thread, &outcome);
    assert_int_equal(own + (int)(intptr_t)outcome, 1);
    assert_brought(&desk);
    assert_int_equal(desk.server.count, 1);
}

/* An image with another checksum was fetched whole again at every run, once an hour, for ever. */
static void what_is_heavy_and_wrong_is_not_fetched_again_today(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(OK("10", "9876543210"), OK("10", CONTENT)));
    desk.one_place = true;
    desk.heavy = 10;
    rf_autofree char *wrong = rf_format("%s/.file.wrong", desk.top), *notes = NULL;
    assert_int_equal(bring(&desk, &error), -1);
    assert_error_has(error, "is wrong (SHA-256 ");
    assert_int_equal(rf_read_file(wrong, 1000, &notes, NULL, NULL), 0);
    assert_null(strstr(notes, "secret"));
    assert_int_equal(bring(&desk, &error), -1);
    assert_int_equal(desk.server.count, 1);
    rf_autofree char *text = rf_error_text(error);
    rf_error_free(error);
    assert_null(strstr(text, "secret"));
    assert_non_null(strstr(text, "less than a day ago: not fetched again until tomorrow, or until "));
    assert_non_null(strstr(text, "the checksum of "));
    const struct timespec long_ago[2] = {0};
    assert_int_equal(utimensat(AT_FDCWD, wrong, long_ago, 0), 0);
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
    assert_false(rf_exists(wrong));
}

/* A captive portal's page is gone in an hour. */
static void what_is_light_and_wrong_is_asked_for_again(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(OK("10", "9876543210"), OK("10", CONTENT)));
    desk.one_place = true;
    assert_int_equal(bring(&desk, &error), -1);
    rf_error_free(error);
    assert_int_equal(bring(&desk, NULL), 1);
    assert_brought(&desk);
}

static void somebody_elses_transfer_is_not_waited_for_without_end(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS(OK("10", CONTENT)));
    desk.seconds = 1;
    rf_autofd int other = open(desk.part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(bring(&desk, &error), -1);
    assert_error_has(error, "does not come to its end");
    assert_int_equal(desk.server.count, 0);
}

static void all_of_it_has_one_deadline(void **state)
{
    (void)state;
    autodesk struct desk desk;
    rf_error *error = NULL;
    open_desk(&desk, ANSWERS("", "", "", "", "", "")); /* says nothing */
    desk.seconds = 1;
    const double before = rf_now();
    assert_int_equal(bring(&desk, &error), -1);
    assert_true(rf_now() - before < 8); /* two places, three attempts each */
    assert_error_has(error, "the time for it is up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_fetched_once),
        cmocka_unit_test(what_is_wrong_is_fetched_again),
        cmocka_unit_test(what_was_cut_off_goes_on_where_it_ended),
        cmocka_unit_test(a_broken_connection_costs_nothing),
        cmocka_unit_test(a_server_without_ranges_gives_the_whole),
        cmocka_unit_test(the_beginning_of_another_file_is_thrown_away),
        cmocka_unit_test(other_bytes_are_not_used),
        cmocka_unit_test(what_was_wrong_with_the_last_place_is_told),
        cmocka_unit_test(the_second_place_helps),
        cmocka_unit_test(too_large_is_refused_before_it_comes),
        cmocka_unit_test(room_counts_what_is_still_to_come),
        cmocka_unit_test(two_at_once_fetch_one),
        cmocka_unit_test(what_is_heavy_and_wrong_is_not_fetched_again_today),
        cmocka_unit_test(what_is_light_and_wrong_is_asked_for_again),
        cmocka_unit_test(somebody_elses_transfer_is_not_waited_for_without_end),
        cmocka_unit_test(all_of_it_has_one_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
