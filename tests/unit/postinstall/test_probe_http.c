/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http and tcp probes against a server of one answer on the loopback. */
#include "base/file.h"
#include "base/json.h"
#include "postinstall/certificate.h"
#include "postinstall/http.h"
#include "postinstall/probe.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

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

#define PROXY "127.77.4.3" /* the loopback's, and nobody else's: the port is that of HTTPS */

static char *write_pem(const char *directory, const char *name, const char *text)
{
    char *path = rf_format("%s/%s", directory, name);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0600, NULL), 0);
    return path;
}

/* A CA and a certificate by it for crm.firma.example; the CA's path. */
static char *certificates(const char *directory, char **ret_certificate, char **ret_key)
{
    static const char *const hosts[] = {"crm.firma.example", NULL};
    const struct rf_certificate_request root = {.kind = RF_CERTIFICATE_ROOT, .name = "root", .days = 9};
    const struct rf_certificate_request leaf = {
        .kind = RF_CERTIFICATE_SERVER, .name = "crm", .hosts = hosts, .days = 9};
    rf_autosecret char *root_key = NULL, *key = NULL;
    rf_autofree char *authority = NULL, *certificate = NULL;
    assert_int_equal(rf_certificate_key(&root_key, NULL), 0);
    assert_int_equal(rf_certificate_key(&key, NULL), 0);
    assert_int_equal(rf_certificate_make(&root, root_key, NULL, NULL, &authority, NULL), 0);
    assert_int_equal(rf_certificate_make(&leaf, key, authority, root_key, &certificate, NULL), 0);
    *ret_certificate = write_pem(directory, "leaf.pem", certificate);
    *ret_key = write_pem(directory, "leaf.key", key);
    return write_pem(directory, "root.pem", authority);
}

/* openssl's own server, until the caller ends it; 0 where this user may not have the port. */
static pid_t serve_tls(const char *certificate, const char *key)
{
    const char *argv[] = {"openssl", "s_server",  "-quiet", "-www", "-accept", PROXY ":443",
                          "-cert",   certificate, "-key",   key,    NULL};
    pid_t child = 0;
    assert_int_equal(posix_spawnp(&child, argv[0], NULL, NULL, (char **)argv, (char *[]){NULL}), 0);
    for (int i = 0; i < 100; i++, usleep(50 * 1000)) {
        if (rf_tcp_connect(PROXY, 443, 1, NULL) == 0)
            return child;
        if (waitpid(child, NULL, WNOHANG) == child)
            return 0;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}

/* Both CAs are trusted, so only the words can tell that browsers outside will refuse it. */
static void the_own_ca_is_said(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *certificate = NULL, *key = NULL, *words = NULL;
    rf_autofree char *root = certificates(directory, &certificate, &key);
    rf_autojson json_t *settings = json_pack("{s:s}", "host", "crm.firma.example");
    struct rf_probe_context context = {.proxy = PROXY, .settings = settings, .ca_file = root};
    struct rf_recipe_probe probe = {.host = (char *)"host", .via_proxy = true, .seconds = 5};
    pid_t server = serve_tls(certificate, key);
    if (!server) {
        rf_remove_tree(directory, NULL);
        skip();
    }
    enum rf_health health = rf_probe_http.ask(&probe, &context, &words);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    rf_remove_tree(directory, NULL);
    assert_string_equal(words, "https://crm.firma.example/ answers with status 200, with a certificate of the node's "
                               "own CA");
    assert_int_equal(health, RF_HEALTH_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_judged),
        cmocka_unit_test(nobody_there_is_waited_for),
        cmocka_unit_test(what_is_published_is_asked_for_at_the_port_of_https),
        cmocka_unit_test(the_own_ca_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
