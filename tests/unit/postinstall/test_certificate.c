/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/command.h"
#include "base/file.h"
#include "postinstall/certificate.h"
#include "tests/unit/unit.h"

static const char *const hosts[] = {"crm.ad.firma.example", "crm", NULL}, *const other[] = {"crm", NULL};
static const struct rf_certificate_request root_request = {.kind = RF_CERTIFICATE_ROOT,
                                                           .name = "Richtfest CA of test",
                                                           .days = 7300};
static const struct rf_certificate_request server_request = {.kind = RF_CERTIFICATE_SERVER,
                                                             .name = "crm",
                                                             .hosts = hosts,
                                                             .address = "10.20.0.11",
                                                             .days = 825};

struct authority {
    char *key, *certificate;
};

static struct authority make_root(void)
{
    struct authority root = {0};
    assert_int_equal(rf_certificate_key(&root.key, NULL), 0);
    assert_int_equal(rf_certificate_make(&root_request, root.key, NULL, NULL, &root.certificate, NULL), 0);
    return root;
}

static struct authority signed_by(const struct authority *root, const struct rf_certificate_request *request)
{
    struct authority made = {0};
    assert_int_equal(rf_certificate_key(&made.key, NULL), 0);
    assert_int_equal(rf_certificate_make(request, made.key, root->certificate, root->key, &made.certificate, NULL), 0);
    return made;
}

static void forget(struct authority *made)
{
    rf_free_secret(made->key);
    free(made->certificate);
}

#define autoauthority RF_CLEANUP(forget)

static void a_chain_is_good(void **state)
{
    (void)state;
    autoauthority struct authority root = make_root(), server = signed_by(&root, &server_request);
    assert_true(rf_certificate_good(root.certificate, &root_request, NULL));
    assert_true(rf_certificate_good(server.certificate, &server_request, root.certificate));
    assert_true(rf_certificate_matches(server.certificate, server.key));
    assert_false(rf_certificate_matches(server.certificate, root.key));
    assert_non_null(strstr(server.key, "BEGIN PRIVATE KEY"));
    autoauthority struct authority again = signed_by(&root, &server_request);
    assert_string_not_equal(again.certificate, server.certificate);
}

static void what_is_not_asked_for_is_not_good(void **state)
{
    (void)state;
    autoauthority struct authority root = make_root(), stranger = make_root();
    autoauthority struct authority server = signed_by(&root, &server_request);
    struct rf_certificate_request asked = server_request;
    assert_false(rf_certificate_good(server.certificate, &server_request, stranger.certificate));
    assert_false(rf_certificate_good(NULL, &server_request, root.certificate));
    assert_false(rf_certificate_good("nonsense", &server_request, root.certificate));
    assert_false(rf_certificate_good(server.certificate, &server_request, "nonsense"));
    asked.hosts = other;
    assert_false(rf_certificate_good(server.certificate, &asked, root.certificate));
    asked = server_request;
    asked.address = "10.20.0.12";
    assert_false(rf_certificate_good(server.certificate, &asked, root.certificate));
    asked = server_request;
    asked.kind = RF_CERTIFICATE_AUTHORITY;
    assert_false(rf_certificate_good(server.certificate, &asked, root.certificate));
}

/* It begins a day before it is made: of three days one is left, and of five two. */
static void the_last_third_is_too_old(void **state)
{
    (void)state;
    autoauthority struct authority root = make_root();
    struct rf_certificate_request request = server_request;
    request.days = 0;
    autoauthority struct authority over = signed_by(&root, &request);
    request.days = 1;
    autoauthority struct authority half = signed_by(&root, &request);
    assert_false(rf_certificate_good(over.certificate, &request, root.certificate));
    assert_true(rf_certificate_good(half.certificate, &request, root.certificate));
    assert_true(rf_certificate_in_force(half.certificate));
    assert_false(rf_certificate_in_force(over.certificate));
    assert_false(rf_certificate_in_force(NULL));
    assert_false(rf_certificate_in_force("nonsense"));
}

static void who_signed_it_is_known(void **state)
{
    (void)state;
    autoauthority struct authority root = make_root(), stranger = make_root();
    autoauthority struct authority server = signed_by(&root, &server_request);
    assert_true(rf_certificate_signed_by(server.certificate, root.certificate));
    assert_false(rf_certificate_signed_by(server.certificate, stranger.certificate));
    assert_false(rf_certificate_signed_by(NULL, root.certificate));
    assert_false(rf_certificate_signed_by(server.certificate, NULL));
}

static void mistakes_are_said(void **state)
{
    (void)state;
    rf_error *error = NULL;
    rf_autofree char *certificate = NULL;
    autoauthority struct authority root = make_root(), stranger = make_root();
    assert_int_equal(rf_certificate_make(&server_request, "no key", root.certificate, root.key, &certificate, &error),
                     -1);
    assert_error(error, "the certificate of crm: the key can't be read");
    assert_int_equal(rf_certificate_make(&server_request, root.key, "x", root.key, &certificate, &error), -1);
    assert_error(error, "the certificate of crm: the authority can't be read");
    assert_int_equal(
        rf_certificate_make(&server_request, root.key, root.certificate, stranger.key, &certificate, &error), -1);
    assert_error_has(error, "the authority's certificate and key do not belong together");
}

static char *write_text(const char *directory, const char *name, const char *text)
{
    char *path = rf_format("%s/%s", directory, name);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0600, NULL), 0);
    return path;
}

static int verify(rf_runner *runner, const char *root, const char *between, const char *leaf, const char *host)
{
    rf_autoresult struct rf_result result = {0};
    const char *const with[] = {"openssl",  "verify",    "-x509_strict",     "-CAfile", root, "-untrusted", between,
                                "-purpose", "sslserver", "-verify_hostname", host,      leaf, NULL};
    struct rf_command command = {.argv = with};
    assert_int_equal(rf_run_status(runner, &command, &result, NULL), 0);
    return result.status;
}

/* Another implementation of nobody here agrees, name constraints included. */
static void openssl_takes_them(void **state)
{
    (void)state;
    static const char *const published[] = {"crm.firma.example", NULL}, *const foreign[] = {"bank.example", NULL};
    rf_autorunner rf_runner *runner = rf_runner_real();
    rf_autofree char *directory = unit_directory();
    autoauthority struct authority root = make_root(), server = signed_by(&root, &server_request);
    struct rf_certificate_request request = {
        .kind = RF_CERTIFICATE_AUTHORITY, .name = "proxy", .hosts = published, .days = 825};
    autoauthority struct authority proxy = signed_by(&root, &request);
    assert_true(rf_certificate_good(proxy.certificate, &request, root.certificate));
    request.kind = RF_CERTIFICATE_SERVER;
    autoauthority struct authority inside = signed_by(&proxy, &request);
    request.hosts = foreign;
    autoauthority struct authority outside = signed_by(&proxy, &request);
    rf_autofree char *root_path = write_text(directory, "root", root.certificate);
    rf_autofree char *proxy_path = write_text(directory, "proxy", proxy.certificate);
    rf_autofree char *server_path = write_text(directory, "server", server.certificate);
    rf_autofree char *inside_path = write_text(directory, "inside", inside.certificate);
    rf_autofree char *outside_path = write_text(directory, "outside", outside.certificate);
    assert_int_equal(verify(runner, root_path, proxy_path, server_path, "crm.ad.firma.example"), 0);
    assert_int_not_equal(verify(runner, root_path, proxy_path, server_path, "dc1"), 0);
    assert_int_equal(verify(runner, root_path, proxy_path, inside_path, "crm.firma.example"), 0);
    assert_int_not_equal(verify(runner, root_path, proxy_path, outside_path, "bank.example"), 0);
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_good),           cmocka_unit_test(what_is_not_asked_for_is_not_good),
        cmocka_unit_test(the_last_third_is_too_old), cmocka_unit_test(mistakes_are_said),
        cmocka_unit_test(openssl_takes_them),        cmocka_unit_test(who_signed_it_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
