/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http and tcp probes against a server of one answer on the loopback. */
#include "base/json.h"
#include "postinstall/http.h"
#include "postinstall/probe.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

struct server {
    int listener;
    unsigned port;
    const char *answer;
    char asked[4096];
    pthread_t thread;
};

static void *serve(void *data)
{
    struct server *server = data;
    int client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    ssize_t got = client < 0 ? -1 : recv(client, server->asked, sizeof(server->asked) - 1, 0);
    server->asked[got > 0 ? got : 0] = '\0';
    if (got > 0)
        send(client, server->answer, strlen(server->answer), MSG_NOSIGNAL);
    if (client >= 0)
        close(client);
    return NULL;
}

static void start(struct server *server, const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    *server = (struct server){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer};
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 1), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
}

static enum rf_health ask(const struct rf_probe_ops *ops, struct rf_recipe_probe probe, char **ret_words)
{
    rf_autojson json_t *settings = json_pack("{s:s}", "host", "crm.firma.example");
    struct rf_probe_context context = {.address = "127.0.0.1", .proxy = "127.0.0.1", .settings = settings};
    probe.seconds = 5;
    return ops->ask(&probe, &context, ret_words);
}

static void a_page_is_judged(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *contains, *words;
        unsigned status;
        enum rf_health health;
    } samples[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "ell", "answers with status 200", 0, RF_HEALTH_OK},
        {"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", NULL, "status 302", 0, RF_HEALTH_OK},
        {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", NULL, "status 302", 200, RF_HEALTH_WAITING},
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", NULL, "status 503", 0, RF_HEALTH_WAITING},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "world", "but without \"world\"", 0, RF_HEALTH_WAITING},
        {"nonsense\r\n\r\n", NULL, "", 0, RF_HEALTH_WAITING},
    };
    for (size_t i = 0; i < RF_COUNT(samples); i++) {
        struct server server;
        rf_autofree char *words = NULL;
        start(&server, samples[i].answer);
        struct rf_recipe_probe probe = {.port = server.port,
                                        .path = (char *)"/x",
                                        .host = (char *)"host",
                                        .status = samples[i].status,
                                        .contains = (char *)samples[i].contains};
        enum rf_health health = ask(&rf_probe_http, probe, &words);
        stop(&server);
        assert_int_equal(health, samples[i].health);
        assert_non_null(strstr(words, samples[i].words));
        assert_non_null(strstr(server.asked, "GET /x HTTP/1.1\r\nHost: crm.firma.example\r\n"));
        assert_non_null(strstr(server.asked, "X-Forwarded-Proto: https\r\n"));
    }
}

static void nobody_there_is_waited_for(void **state)
{
    (void)state;
    struct server server;
    start(&server, "");
    rf_autofree char *open = NULL, *closed = NULL, *http = NULL;
    assert_int_equal(ask(&rf_probe_tcp, (struct rf_recipe_probe){.port = server.port}, &open), RF_HEALTH_OK);
    stop(&server);
    assert_int_equal(ask(&rf_probe_tcp, (struct rf_recipe_probe){.port = server.port}, &closed), RF_HEALTH_WAITING);
    assert_int_equal(ask(&rf_probe_http, (struct rf_recipe_probe){.port = server.port}, &http), RF_HEALTH_WAITING);
    assert_non_null(strstr(closed, "127.0.0.1 port "));
    assert_non_null(strstr(http, "http://127.0.0.1/: "));
    assert_null(strstr(http, " ms")); /* the same words each time */
    assert_null(strstr(closed, " ms"));
}

/* The guest's own port is not the proxy's. */
static void what_is_published_is_asked_for_at_the_port_of_https(void **state)
{
    (void)state;
    struct server server;
    rf_autofree char *words = NULL;
    start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct rf_recipe_probe probe = {.port = server.port, .host = (char *)"host", .via_proxy = true};
    ask(&rf_probe_http, probe, &words);
    assert_int_equal(rf_tcp_connect("127.0.0.1", server.port, 5, NULL), 0); /* who waits there is let go */
    stop(&server);
    assert_string_equal(server.asked, "");
    assert_non_null(strstr(words, "https://crm.firma.example/: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_judged),
        cmocka_unit_test(nobody_there_is_waited_for),
        cmocka_unit_test(what_is_published_is_asked_for_at_the_port_of_https),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
