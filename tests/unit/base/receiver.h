/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A web server on the loopback, as small as can be: one request a connection, an answer that the test chooses, bodies kept. */
#pragma once

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

struct receiver {
    int fd;
    unsigned port;
    pthread_t thread;
    pthread_mutex_t lock;
    const char *status; /* of every answer: "204 No Content\r\n" and more header lines */
    /* Instead: whole answers, one a connection, NULL-terminated; "" says nothing until the client goes. Or NULL. */
    const char *const *answers;
    char **bodies, **requests; /* a request is head and body */
    size_t count;
};

/* A port of the loopback that is bound to a fresh socket; nobody listens yet, so who connects is refused. */
static inline int receiver_port(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* Header and body; the caller frees it. */
static inline char *receiver_read(int connection)
{
    size_t room = 1 << 20, used = 0;
    char *text = rf_alloc(room + 1), *end = NULL, *length;
    for (ssize_t got; used < room && (got = read(connection, text + used, room - used)) > 0;) {
        used += (size_t)got;
        if (!end)
            end = strstr(text, "\r\n\r\n");
        length = strcasestr(text, "\r\nContent-Length:");
        if (end && text + used >= end + 4 + (length ? strtoul(length + 17, NULL, 10) : 0))
            break;
    }
    return text;
}

static inline void receiver_serve(struct receiver *self, int connection)
{
    rf_autofree char *request = receiver_read(connection);
    const char *body = strstr(request, "\r\n\r\n");
    pthread_mutex_lock(&self->lock);
    if (body) {
        size_t same = self->count;
        *(char **)rf_array_add(&self->bodies, &self->count, sizeof(*self->bodies)) = rf_strdup(body + 4);
        *(char **)rf_array_add(&self->requests, &same, sizeof(*self->requests)) = rf_strdup(request);
    }
    rf_autofree char *answer =
        self->answers && *self->answers
            ? rf_strdup(*self->answers++)
            : rf_format("HTTP/1.1 %sContent-Length: 0\r\nConnection: close\r\n\r\n", self->status);
    pthread_mutex_unlock(&self->lock);
    if (!*answer)
        poll(&(struct pollfd){connection, POLLRDHUP, 0}, 1, 10000);
    (void)!send(connection, answer, strlen(answer), MSG_NOSIGNAL);
}

static inline void *receiver_loop(void *data)
{
    struct receiver *self = data;
    for (int connection; (connection = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        receiver_serve(self, connection);
        close(connection);
    }
    return NULL;
}

/* Listens on a socket from receiver_port. */
static inline void receiver_start(struct receiver *self, int fd, unsigned port, const char *status)
{
    *self = (struct receiver){.fd = fd, .port = port, .status = status, .lock = PTHREAD_MUTEX_INITIALIZER};
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(pthread_create(&self->thread, NULL, receiver_loop, self), 0);
}

static inline void receiver_open(struct receiver *self, const char *status)
{
    unsigned port;
    int fd = receiver_port(&port);
    receiver_start(self, fd, port, status);
}

/* Gives these answers (NULL-terminated, borrowed), then status 418. */
static inline void receiver_answer(struct receiver *self, const char *const *answers)
{
    receiver_open(self, "418 I'm a teapot\r\n");
    pthread_mutex_lock(&self->lock);
    self->answers = answers;
    pthread_mutex_unlock(&self->lock);
}

static inline void receiver_close(struct receiver *self)
{
    shutdown(self->fd, SHUT_RDWR);
    pthread_join(self->thread, NULL);
    close(self->fd);
    for (size_t i = 0; i < self->count; i++) {
        free(self->bodies[i]);
        free(self->requests[i]);
    }
    free(self->bodies);
    free(self->requests);
}

/* Waits until so many requests have come, at most for ten seconds. */
static inline void receiver_wait(struct receiver *self, size_t count)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&self->lock);
        bool come = self->count >= count;
        pthread_mutex_unlock(&self->lock);
        if (come)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    fail_msg("%zu of %zu requests have come", self->count, count);
}
