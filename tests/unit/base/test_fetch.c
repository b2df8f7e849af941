/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transfers into a file, from a server that answers each connection with the next of its answers. */
#include "base/fetch.h"
#include "base/file.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>

struct server {
    int fd;
    unsigned port;
    const char *const *answers; /* NULL-terminated */
    pthread_t thread;
};

static void *serve(void *data)
{
    struct server *self = data;
    char request[4096];
    for (size_t i = 0; self->answers[i]; i++) {
        rf_autofd int peer = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC);
        const char *answer = self->answers[i];
        if (peer < 0 || read(peer, request, sizeof(request)) < 0 || write(peer, answer, strlen(answer)) < 0)
            break;
        shutdown(peer, SHUT_WR);
        while (read(peer, request, sizeof(request)) > 0)
            ;
    }
    return NULL;
}

static void start(struct server *self, const char *const *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *self = (struct server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answers = answers};
    assert_int_equal(bind(self->fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(self->fd, 4), 0);
    assert_int_equal(getsockname(self->fd, (struct sockaddr *)&address, &size), 0);
    self->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&self->thread, NULL, serve, self), 0);
}

static void finish(struct server *self)
{
    shutdown(self->fd, SHUT_RDWR);
    pthread_join(self->thread, NULL);
    close(self->fd);
}

static void note(void *data, uint64_t done, uint64_t total)
{
    (void)total;
    *(uint64_t *)data = done;
}

/* What is in the file afterwards; NULL and *err where it failed. */
static char *fetched(const char *const *answers, size_t max, uint64_t *ret_told, rf_error **err)
{
    RF_CLEANUP(finish) struct server server;
    start(&server, answers);
    rf_autofree char *url = rf_format("http://127.0.0.1:%u/file", server.port), *top = unit_directory();
    rf_autofree char *path = rf_format("%s/file", top);
    rf_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "an older and longer content", 27), 27);
    const struct rf_fetch fetch = {
        .url = url, .max = max, .seconds = 10, .attempts = 2, .pause_max = 1, .progress = note, .data = ret_told};
    char *text = NULL;
    if (rf_fetch_file(&fetch, fd, err) == 0)
        assert_int_equal(rf_read_file(path, 1000, &text, NULL, NULL), 0);
    rf_remove_tree(top, NULL);
    return text;
}

#define OK(length) "HTTP/1.0 200 OK\r\nContent-Length: " length "\r\n\r\n"
#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void the_body_and_nothing_else(void **state)
{
    (void)state;
    uint64_t told = 0;
    rf_autofree char *text = fetched(ANSWERS(OK("5") "hello"), 100, &told, NULL);
    assert_string_equal(text, "hello");
    assert_int_equal(told, 5);
}

static void a_broken_attempt_leaves_nothing_of_itself(void **state)
{
    (void)state;
    uint64_t told;
    rf_autofree char *text = fetched(ANSWERS(OK("50") "half of something", OK("5") "whole"), 100, &told, NULL);
    assert_string_equal(text, "whole");
}

static void too_much_is_refused(void **state)
{
    (void)state;
    uint64_t told;
    rf_error *error = NULL;
    assert_null(fetched(ANSWERS(OK("5") "hello"), 4, &told, &error));
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    assert_error_has(error, "the answer is larger than the 4 bytes allowed");
}

static void a_full_disk_is_said_at_once(void **state)
{
    (void)state;
    RF_CLEANUP(finish) struct server server;
    start(&server, ANSWERS(OK("5") "hello"));
    rf_autofree char *url = rf_format("http://127.0.0.1:%u/file", server.port);
    rf_autofd int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    const struct rf_fetch fetch = {.url = url, .max = 100, .seconds = 10, .attempts = 0};
    rf_error *error = NULL;
    assert_int_equal(rf_fetch_file(&fetch, fd, &error), -1);
    assert_error_has(error, "/file can't be fetched: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_and_nothing_else),
        cmocka_unit_test(a_broken_attempt_leaves_nothing_of_itself),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(a_full_disk_is_said_at_once),
    };
    return cmocka_run_group_tests_name("base/fetch", tests, NULL, NULL);
}
