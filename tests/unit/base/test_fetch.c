/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transfers against a web server of our own; what is shown of URLs, and that no message shows more. */
#include "base/fetch.h"
#include "base/units.h"
#include "tests/unit/base/receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static void what_is_shown_of_a_url(void **state)
{
    (void)state;
    static const struct {
        const char *url, *public, *receiver;
    } rows[] = {
        {"https://h.example/a/b.yaml", "https://h.example/a/b.yaml", "https://h.example/…"},
        {"https://h.example", "https://h.example/", "https://h.example/…"},
        {"https://user:pw@h.example:8443/p.yaml?token=tt#ff", "https://h.example:8443/p.yaml",
         "https://h.example:8443/…"},
        {"https://user@h.example/", "https://h.example/", "https://h.example/…"},
        {"http://[2001:db8::1]:80/T0/B0/XX", "http://[2001:db8::1]:80/T0/B0/XX", "http://[2001:db8::1]:80/…"},
        {"https://hooks.example/services/T0/B0/XX?a=b", "https://hooks.example/services/T0/B0/XX",
         "https://hooks.example/…"},
        {"https://us er:pw@h.example/", "(not a URL)", "(not a URL)"},
        {"https://user:p/w@h.example/", "(not a URL)", "(not a URL)"},
        {"", "(not a URL)", "(not a URL)"},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *public = rf_url_public(rows[i].url), *receiver = rf_url_receiver(rows[i].url);
        assert_string_equal(public, rows[i].public);
        assert_string_equal(receiver, rows[i].receiver);
    }
}

static void whose_certificate_it_is(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"https://user:pw@h.example:8443/p.yaml?token=tt", "h.example:8443"},
                                          {"https://h.example", "h.example"},
                                          {"https://[2001:db8::1]:80/", "[2001:db8::1]:80"},
                                          {"", "the server"}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *host = rf_url_host(rows[i][0]);
        assert_string_equal(host, rows[i][1]);
    }
}

/* What a fetch of a URL full of secrets says, by the answer. NULL: libcurl's own words, which differ by version. */
static void fetch_says(const char *status, const char *words)
{
    struct receiver server;
    receiver_open(&server, status);
    rf_autofree char *url = rf_format("http://user:secret@127.0.0.1:%u/p.yaml?token=secret", server.port);
    rf_autofree char *expected =
        rf_format("http://127.0.0.1:%u/p.yaml can't be fetched: %s", server.port, words ? words : "");
    const struct rf_fetch fetch = {.url = url, .max = 1000, .seconds = 10, .attempts = 1};
    char *body = NULL;
    rf_autoerror rf_error *err = NULL;
    assert_int_equal(rf_fetch(&fetch, &body, NULL, &err), -1);
    receiver_close(&server);
    rf_autofree char *text = rf_error_text(err);
    assert_null(strstr(text, "secret"));
    assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
    assert_true(!words || strlen(text) == strlen(expected));
}

static void a_failed_fetch_tells_no_secret(void **state)
{
    (void)state;
    fetch_says("404 Not Found\r\n", "the server answered with status 404");
    fetch_says("503 Busy\r\n", "the server answered with status 503 (1 attempts)");
    fetch_says("302 Found\r\nLocation: gopher://user:secret@h/\r\n", NULL);
    fetch_says("302 Found\r\nLocation: http://user:secret@:1x/\r\n", NULL);
    fetch_says("302 Found\r\nLocation: http://user:secret@127.0.0.1:1/\r\n", NULL);
}

/* libcurl quotes a proxy that it does not understand. */
static void a_proxy_is_not_quoted(void **state)
{
    (void)state;
    setenv("http_proxy", "gopher://user:secret@proxy.example", 1);
    const struct rf_fetch fetch = {.url = "http://127.0.0.1:1/", .max = 1000, .seconds = 10, .attempts = 1};
    char *body = NULL;
    rf_autoerror rf_error *err = NULL;
    assert_int_equal(rf_fetch(&fetch, &body, NULL, &err), -1);
    unsetenv("http_proxy");
    rf_autofree char *text = rf_error_text(err);
    assert_null(strstr(text, "secret"));
}

static void a_post_says_how_it_went(void **state)
{
    (void)state;
    static const struct {
        const char *status, *says;
        enum rf_code code;
    } rows[] = {
        {"204 No Content\r\n", NULL, RF_OK},
        {"200 OK\r\n", NULL, RF_OK},
        {"202 Accepted\r\n", NULL, RF_OK},
        {"400 Bad Request\r\n", "answered with status 400", RF_BAD_PROFILE},
        {"413 Too Large\r\n", "answered with status 413", RF_BAD_PROFILE},
        {"415 Unsupported\r\n", "answered with status 415", RF_BAD_PROFILE},
        {"422 Unprocessable\r\n", "answered with status 422", RF_BAD_PROFILE},
        {"401 Unauthorized\r\n", "answered with status 401", RF_FAILED},
        {"404 Not Found\r\n", "answered with status 404", RF_FAILED},
        {"302 Found\r\nLocation: http://127.0.0.1/secret\r\n", "answered with status 302", RF_FAILED},
        {"500 Broken\r\n", "answered with status 500", RF_FAILED},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        struct receiver server;
        receiver_open(&server, rows[i].status);
        rf_autofree char *url = rf_format("http://u:secret@127.0.0.1:%u/services/secret?t=secret", server.port);
        rf_error *err = NULL;
        assert_int_equal(rf_post_json(url, "{\"a\":1}", 10, &err), rows[i].says ? -1 : 0);
        assert_int_equal(rf_error_code(err), rows[i].code);
        rf_autofree char *says = rf_format("http://127.0.0.1:%u/… %s", server.port, rows[i].says);
        if (rows[i].says)
            assert_error(err, says);
        receiver_wait(&server, 1);
        assert_string_equal(server.bodies[0], "{\"a\":1}");
        assert_non_null(strstr(server.requests[0], "POST /services/secret?t=secret "));
        assert_non_null(strstr(server.requests[0], "\r\nContent-Type: application/json\r\n"));
        assert_int_equal(server.count, 1);
        receiver_close(&server);
    }
}

static void a_post_to_nobody(void **state)
{
    (void)state;
    unsigned port;
    rf_autofd int fd = receiver_port(&port);
    rf_autofree char *url = rf_format("http://127.0.0.1:%u/services/secret", port);
    rf_autofree char *says = rf_format("http://127.0.0.1:%u/…: ", port);
    rf_autoerror rf_error *err = NULL;
    assert_int_equal(rf_post_json(url, "{}", 10, &err), -1);
    rf_autofree char *text = rf_error_text(err);
    assert_int_equal(strncmp(text, says, strlen(says)), 0);
    assert_null(strstr(text, "secret"));
}

#define OK(size, body) "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " size "\r\n\r\n" body
#define STATUS(line) "HTTP/1.1 " line "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define REDIRECT(to) "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " to "\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
#define SILENCE "" /* the connection stays open and nothing comes */

/* A server that gives these answers, and a URL of it that is full of secrets. */
#define SERVER(self, url, ...)                                                                                         \
    RF_CLEANUP(receiver_close) struct receiver self;                                                                   \
    receiver_answer(&self, (const char *const[]){__VA_ARGS__, NULL});                                                  \
    rf_autofree char *url = rf_format("http://user:secret@127.0.0.1:%u/a.yaml?token=secret", self.port)

/* What rf_fetch told before its pauses. */
struct told {
    unsigned times, attempt, pause;
    char why[256];
    bool go_on;
};

static bool waiting(void *data, unsigned attempt, const char *why, unsigned pause)
{
    struct told *told = data;
    told->times++;
    told->attempt = attempt;
    told->pause = pause;
    snprintf(told->why, sizeof(told->why), "%s", why);
    return told->go_on;
}

/* One fetch of at most ten bytes that gives up before its first pause. */
static int fetch_once(const char *url, struct told *told, char **ret_body, rf_error **err)
{
    const struct rf_fetch fetch = {.url = url, .max = 10, .seconds = 5, .waiting = waiting, .data = told};
    return rf_fetch(&fetch, ret_body, NULL, err);
}

static void a_body_comes_whole(void **state)
{
    (void)state;
    SERVER(self, url, OK("10", "0123456789"), OK("0", ""), CHUNKED "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n");
    rf_autofree char *body = NULL, *empty = NULL, *chunked = NULL;
    size_t size = 0;
    const struct rf_fetch fetch = {.url = url, .max = 10, .seconds = 5, .attempts = 1};
    assert_int_equal(rf_fetch(&fetch, &body, &size, NULL), 0);
    assert_string_equal(body, "0123456789");
    assert_int_equal(size, 10);
    assert_non_null(strstr(self.requests[0], "GET /a.yaml?token=secret HTTP/1.1\r\n"));
    assert_non_null(strstr(self.requests[0], "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"));
    assert_non_null(strstr(self.requests[0], "User-Agent: richtfest/" RF_VERSION "\r\n"));
    assert_int_equal(rf_fetch(&fetch, &empty, &size, NULL), 0);
    assert_string_equal(empty, "");
    assert_int_equal(size, 0);
    assert_int_equal(rf_fetch(&fetch, &chunked, &size, NULL), 0);
    assert_string_equal(chunked, "0123456789");
}

static void too_large_is_refused_and_not_asked_for_again(void **state)
{
    (void)state;
    SERVER(self, url, OK("11", "0123456789a"), CHUNKED "8\r\n01234567\r\n8\r\n89abcdef\r\n0\r\n\r\n",
           OK("99999999999999999999", "0123456789a"));
    for (size_t i = 0; i < 2; i++) {
        struct told told = {0};
        char *body = NULL;
        rf_error *error = NULL;
        assert_int_equal(fetch_once(url, &told, &body, &error), -1);
        assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
        assert_error_has(error, "the answer is larger than the 10 bytes allowed");
        assert_int_equal(told.times, 0);
        assert_null(body);
    }
    char *body = NULL;
    assert_int_equal(fetch_once(url, &(struct told){0}, &body, NULL), -1);
    assert_null(body);
}

static void who_has_to_act_is_told_by_the_status(void **state)
{
    static const struct {
        const char *answer;
        unsigned status;
        bool again;
    } rows[] = {
        {STATUS("400 x"), 400, false}, {STATUS("401 x"), 401, false}, {STATUS("403 x"), 403, false},
        {STATUS("404 x"), 404, false}, {STATUS("410 x"), 410, false}, {STATUS("408 x"), 408, true},
        {STATUS("429 x"), 429, true},  {STATUS("500 x"), 500, true},  {STATUS("502 x"), 502, true},
        {STATUS("503 x"), 503, true},
    };
    (void)state;
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        SERVER(self, url, rows[i].answer);
        struct told told = {0};
        char *body = NULL;
        rf_error *error = NULL;
        rf_autofree char *said = rf_format("status %u", rows[i].status);
        assert_int_equal(fetch_once(url, &told, &body, &error), -1);
        assert_int_equal(told.times, rows[i].again);
        assert_int_equal(rf_error_code(error), rows[i].again ? RF_FAILED : RF_BAD_PROFILE);
        assert_error_has(error, said);
        assert_int_equal(self.count, 1);
    }
}

/* An answer that ends early is no answer: the next one stands alone. */
static void what_passes_is_tried_again(void **state)
{
    (void)state;
    SERVER(self, url, STATUS("503 x"), OK("100", "half of an"), OK("4", "done"));
    struct told told = {.go_on = true};
    const struct rf_fetch fetch = {
        .url = url, .max = 100, .seconds = 5, .pause_max = 1, .waiting = waiting, .data = &told};
    rf_autofree char *body = NULL;
    size_t size = 0;
    assert_int_equal(rf_fetch(&fetch, &body, &size, NULL), 0);
    assert_string_equal(body, "done");
    assert_int_equal(size, 4);
    assert_int_equal(told.times, 2);
    assert_int_equal(told.attempt, 2);
    assert_int_equal(told.pause, 1); /* it would be 2, but for pause_max */
    assert_int_equal(self.count, 3);
}

static void attempts_are_counted(void **state)
{
    (void)state;
    SERVER(self, url, STATUS("503 x"), STATUS("503 x"), OK("1", "x"));
    const struct rf_fetch fetch = {.url = url, .max = 10, .seconds = 5, .attempts = 2, .pause_max = 1};
    char *body = NULL;
    rf_error *error = NULL;
    rf_autofree char *said = rf_format(
        "http://127.0.0.1:%u/a.yaml can't be fetched: the server answered with status 503 (2 attempts)", self.port);
    assert_int_equal(rf_fetch(&fetch, &body, NULL, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error(error, said); /* no user, no password, no token */
    assert_int_equal(self.count, 2);
}

static void redirects_are_followed(void **state)
{
    (void)state;
    SERVER(self, url, REDIRECT("/elsewhere"), OK("1", "x"));
    rf_autofree char *body = NULL;
    assert_int_equal(fetch_once(url, &(struct told){0}, &body, NULL), 0);
    assert_string_equal(body, "x");
    assert_non_null(strstr(self.requests[1], "GET /elsewhere "));
}

static void redirects_lead_nowhere_else(void **state)
{
    static const char *const elsewhere[] = {REDIRECT("file:///etc/hostname"), REDIRECT("ftp://127.0.0.1/x"),
                                            REDIRECT("gopher://127.0.0.1/x")};
    (void)state;
    for (size_t i = 0; i < RF_COUNT(elsewhere); i++) {
        SERVER(self, url, elsewhere[i]);
        struct told told = {0};
        char *body = NULL;
        rf_error *error = NULL;
        assert_int_equal(fetch_once(url, &told, &body, &error), -1);
        assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
        rf_error_free(error);
        assert_int_equal(told.times, 0);
        assert_null(body);
    }
}

static void redirects_are_counted(void **state)
{
    (void)state;
    SERVER(circle, url, REDIRECT("/1"), REDIRECT("/2"), REDIRECT("/3"), REDIRECT("/4"), REDIRECT("/5"), REDIRECT("/6"),
           OK("1", "x"));
    char *body = NULL;
    rf_error *error = NULL;
    assert_int_equal(fetch_once(url, &(struct told){0}, &body, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    rf_error_free(error);
    assert_int_equal(circle.count, 6); /* the first one and five redirects */
}

static void a_server_that_says_nothing_is_left(void **state)
{
    (void)state;
    SERVER(self, url, SILENCE);
    struct told told = {0};
    const struct rf_fetch fetch = {.url = url, .max = 10, .seconds = 1, .waiting = waiting, .data = &told};
    char *body = NULL;
    rf_error *error = NULL;
    const double before = rf_now();
    assert_int_equal(rf_fetch(&fetch, &body, NULL, &error), -1);
    assert_true(rf_now() - before < 5);
    assert_int_equal(told.times, 1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error_has(error, "timed out");
}

static void nobody_there_is_worth_another_try(void **state)
{
    (void)state;
    unsigned port;
    rf_autofd int fd = receiver_port(&port);
    rf_autofree char *url = rf_format("http://127.0.0.1:%u/a.yaml", port);
    struct told told = {0};
    char *body = NULL;
    rf_error *error = NULL;
    assert_int_equal(fetch_once(url, &told, &body, &error), -1);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.pause, 1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error_has(error, "(given up)");
    static const char *const odd[] = {"file:///etc/hostname", "gopher://127.0.0.1/x", "not a url", ""};
    for (size_t i = 0; i < RF_COUNT(odd); i++) {
        told = (struct told){0};
        assert_int_equal(fetch_once(odd[i], &told, &body, &error), -1);
        assert_int_equal(told.times, 0);
        assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
        rf_error_free(error);
        error = NULL;
    }
}

static void note(void *data, uint64_t done, uint64_t total)
{
    (void)total;
    *(uint64_t *)data = done;
}

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What is in the file afterwards; NULL and *err where it failed. */
static char *fetched_file(const char *const *answers, size_t max, uint64_t *ret_told, rf_error **err)
{
    RF_CLEANUP(receiver_close) struct receiver server;
    receiver_answer(&server, answers);
    rf_autofree char *url = rf_format("http://127.0.0.1:%u/file", server.port), *top = unit_directory();
    rf_autofree char *path = rf_format("%s/file", top);
    rf_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "an older and longer content", 27), 27);
    const struct rf_fetch fetch = {
        .url = url, .max = max, .seconds = 10, .attempts = 2, .pause_max = 1, .progress = note, .data = ret_told};
    char *text = NULL;
    if (rf_fetch_file(&fetch, fd, NULL, err) == 0)
        assert_int_equal(rf_read_file(path, 1000, &text, NULL, NULL), 0);
    rf_remove_tree(top, NULL);
    return text;
}

static void a_file_gets_the_body_and_nothing_else(void **state)
{
    (void)state;
    uint64_t told = 0;
    rf_autofree char *text = fetched_file(ANSWERS(OK("5", "hello")), 100, &told, NULL);
    assert_string_equal(text, "hello");
    assert_int_equal(told, 5);
}

static void a_broken_attempt_leaves_nothing_in_the_file(void **state)
{
    (void)state;
    uint64_t told;
    rf_autofree char *text = fetched_file(ANSWERS(OK("50", "half of something"), OK("5", "whole")), 100, &told, NULL);
    assert_string_equal(text, "whole");
}

static void too_much_for_a_file_is_refused(void **state)
{
    (void)state;
    uint64_t told;
    rf_error *error = NULL;
    assert_null(fetched_file(ANSWERS(OK("5", "hello")), 4, &told, &error));
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    assert_error_has(error, "the answer is larger than the 4 bytes allowed");
}

/* The file whose disk is full; /dev/full can't be cut as a file can. */
static int *full(void)
{
    static int fd = -1;
    return &fd;
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (fd != *full())
        return syscall(SYS_write, fd, data, size);
    errno = ENOSPC;
    return -1;
}

static void a_full_disk_is_said_at_once(void **state)
{
    (void)state;
    SERVER(self, url, OK("5", "hello"));
    rf_autofree char *top = unit_directory(), *path = rf_format("%s/file", top);
    rf_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const struct rf_fetch fetch = {.url = url, .max = 100, .seconds = 10, .attempts = 0};
    enum rf_fetch_fault fault = RF_FETCH_NO_ANSWER;
    rf_error *error = NULL;
    *full() = fd;
    assert_int_equal(rf_fetch_file(&fetch, fd, &fault, &error), -1);
    *full() = -1;
    assert_int_equal(fault, RF_FETCH_NO_ROOM);
    assert_error_has(error, "/a.yaml can't be fetched: it can't be stored: No space left");
    rf_remove_tree(top, NULL);
}

/* A server that has gone to sleep is not waited for as long as the whole may take. */
static void what_comes_too_slowly_is_given_up(void **state)
{
    (void)state;
    struct receiver server;
    rf_error *error = NULL;
    rf_autofree char *directory = unit_directory(), *path = rf_format("%s/file", directory);
    receiver_answer(&server, (const char *const[]){"", NULL});
    rf_autofree char *url = rf_format("http://127.0.0.1:%u/file", server.port);
    rf_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const struct rf_fetch fetch = {
        .url = url, .max = 100, .seconds = 60, .attempts = 1, .floor = 20000, .floor_seconds = 1};
    const double before = rf_now();
    enum rf_fetch_fault fault = RF_FETCH_NO_ROOM;
    assert_int_equal(rf_fetch_file(&fetch, fd, &fault, &error), -1);
    assert_true(rf_now() - before < 8);
    assert_int_equal(fault, RF_FETCH_NO_ANSWER);
    assert_error_has(error, "too slow");
    receiver_close(&server);
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    unsetenv("http_proxy");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown_of_a_url),
        cmocka_unit_test(whose_certificate_it_is),
        cmocka_unit_test(a_failed_fetch_tells_no_secret),
        cmocka_unit_test(a_proxy_is_not_quoted),
        cmocka_unit_test(a_post_says_how_it_went),
        cmocka_unit_test(a_post_to_nobody),
        cmocka_unit_test(a_body_comes_whole),
        cmocka_unit_test(too_large_is_refused_and_not_asked_for_again),
        cmocka_unit_test(who_has_to_act_is_told_by_the_status),
        cmocka_unit_test(what_passes_is_tried_again),
        cmocka_unit_test(attempts_are_counted),
        cmocka_unit_test(redirects_are_followed),
        cmocka_unit_test(redirects_lead_nowhere_else),
        cmocka_unit_test(redirects_are_counted),
        cmocka_unit_test(a_server_that_says_nothing_is_left),
        cmocka_unit_test(nobody_there_is_worth_another_try),
        cmocka_unit_test(a_file_gets_the_body_and_nothing_else),
        cmocka_unit_test(a_broken_attempt_leaves_nothing_in_the_file),
        cmocka_unit_test(too_much_for_a_file_is_refused),
        cmocka_unit_test(a_full_disk_is_said_at_once),
        cmocka_unit_test(what_comes_too_slowly_is_given_up),
    };
    return cmocka_run_group_tests_name("base/fetch", tests, NULL, NULL);
}
