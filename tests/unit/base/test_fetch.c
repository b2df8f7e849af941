/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is shown of URLs, and that no message shows more. */
#include "base/fetch.h"
#include "tests/unit/base/receiver.h"

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
        {"400 Bad Request\r\n", "answered with status 400", RF_BAD_PROFILE},
        {"413 Too Large\r\n", "answered with status 413", RF_BAD_PROFILE},
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

int main(void)
{
    unsetenv("http_proxy");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown_of_a_url), cmocka_unit_test(a_failed_fetch_tells_no_secret),
        cmocka_unit_test(a_proxy_is_not_quoted),  cmocka_unit_test(a_post_says_how_it_went),
        cmocka_unit_test(a_post_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
