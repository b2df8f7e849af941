/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against a DNS server of one answer, whole or broken. */
#include "postinstall/probe.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers one question: the header and the question as asked, and behind it these bytes. */
struct server {
    int fd;
    unsigned port;
    const unsigned char *record;
    size_t size;
    pthread_t thread;
};

static void *serve(void *data)
{
    struct server *server = data;
    unsigned char message[512];
    struct sockaddr_in from;
    socklen_t length = sizeof(from);
    ssize_t got = recvfrom(server->fd, message, 256, 0, (struct sockaddr *)&from, &length);
    if (got < 12)
        return NULL;
    message[2] |= 0x80; /* a response */
    message[7] = 1;     /* one answer */
    message[10] = message[11] = 0;
    memcpy(message + got, server->record, server->size);
    sendto(server->fd, message, (size_t)got + server->size, 0, (struct sockaddr *)&from, length);
    return NULL;
}

static void start(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    server->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static enum rf_health ask(const unsigned char *record, size_t size, char **ret_words)
{
    struct server server = {.record = record, .size = size};
    start(&server);
    json_t *settings = json_pack("{s:s}", "realm", "AD.X.EXAMPLE");
    struct rf_recipe_probe probe = {.service = "_ldap._tcp", .zone = "realm", .port = server.port, .seconds = 2};
    struct rf_probe_context context = {.address = "127.0.0.1", .settings = settings};
    enum rf_health health = rf_probe_dns_srv.ask(&probe, &context, ret_words);
    pthread_join(server.thread, NULL);
    close(server.fd);
    json_decref(settings);
    return health;
}

/* name = pointer to the question, type SRV, class IN, TTL 1, 10 bytes: priority 0, weight 100, port 389, "dc" */
static const unsigned char srv[] = {0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 1, 0, 10, 0, 0, 0, 100, 1, 133, 2, 'd', 'c', 0};

static void an_srv_record_is_told(void **state)
{
    (void)state;
    rf_autofree char *words = NULL;
    assert_int_equal(ask(srv, sizeof(srv), &words), RF_HEALTH_OK);
    assert_string_equal(words, "_ldap._tcp.ad.x.example is dc:389");
}

static void another_record_does_not_count(void **state)
{
    (void)state;
    static const unsigned char a[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 0, 0, 1};
    rf_autofree char *words = NULL;
    assert_int_equal(ask(a, sizeof(a), &words), RF_HEALTH_WAITING);
    assert_string_equal(words, "_ldap._tcp.ad.x.example: no SRV record from 127.0.0.1");
}

static void cut_answers_do_no_harm(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(srv); size += 3) {
        rf_autofree char *words = NULL;
        assert_int_equal(ask(srv, size, &words), RF_HEALTH_WAITING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_srv_record_is_told),
        cmocka_unit_test(another_record_does_not_count),
        cmocka_unit_test(cut_answers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
