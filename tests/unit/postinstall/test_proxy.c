/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/ca.h"
#include "postinstall/proxy.h"
#include "tests/unit/postinstall/fixture.h"

#include <sys/stat.h>

static void open_company(struct fixture *fixture)
{
    rf_autofree char *passwd = rf_format("caddy:x:%u:%u::/var/lib/caddy:/usr/sbin/nologin\n", getuid(), getgid());
    fixture_open_with(fixture, fixture_company, NULL, rf_runner_dry());
    fixture_write(fixture, "/etc/passwd", passwd, 0644);
    assert_int_equal(rf_step_ca.apply(&fixture->env, fixture->model, NULL), 0);
}

static unsigned mode_of(const struct fixture *fixture, const char *file)
{
    rf_autofree char *path = rf_format("%s%s", fixture->root, file);
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

static void the_configuration_is_as_it_was_reviewed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    rf_autofree char *acme = rf_proxy_text(fixture.model);
    assert_golden("Caddyfile-acme", acme);
    fixture.profile->access.tls = RF_TLS_OWN;
    rf_autofree char *own = rf_proxy_text(fixture.model);
    assert_golden("Caddyfile-own", own);
    fixture_close(&fixture);
}

#define ACME_FOLDER "acme-v02.api.letsencrypt.org-directory"

/* What Caddy keeps of a certificate for crm, valid until `days` from now. */
static void store(const struct fixture *fixture, const char *issuer, unsigned days)
{
    static const char *const hosts[] = {"crm.musterkunde.example", NULL};
    const struct rf_certificate_request request = {
        .kind = RF_CERTIFICATE_SERVER, .name = "crm", .hosts = hosts, .days = days};
    rf_autosecret char *key = NULL;
    rf_autofree char *certificate = NULL,
                     *file = rf_format(RF_PROXY_STATE "/certificates/%s/%s/%s.crt", issuer, hosts[0], hosts[0]);
    assert_int_equal(rf_ca_issue(fixture->model, &request, &key, &certificate, NULL), 0);
    fixture_write(fixture, file, certificate, 0600);
}

/* The first failed renewal, a month before the certificate ended, put the node's own in its place, which no browser trusts. */
static void the_own_ca_is_no_issuer_beside_a_certificate_by_acme(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, NULL), 0);
    store(&fixture, "richtfest", 90);   /* the node's own */
    store(&fixture, "local", 90);       /* Caddy's own */
    store(&fixture, ACME_FOLDER, 0);    /* ended */
    store(&fixture, ".unfinished", 90); /* no issuer */
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    assert_false(rf_proxy_has_acme(&fixture.model->guests[1]));
    store(&fixture, ACME_FOLDER, 90);
    assert_true(rf_proxy_has_acme(&fixture.model->guests[1]));
    assert_false(rf_proxy_has_acme(&fixture.model->guests[3]));
    assert_false(rf_proxy_has_acme(&fixture.model->guests[0])); /* not published */
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    rf_autofree char *text = fixture_read(&fixture, RF_PROXY_FILE);
    assert_golden("Caddyfile-held", text);
    fixture_close(&fixture);
}

static void it_is_validated_before_it_counts(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    rf_autofree char *commands = without_root(&fixture, rf_runner_dry_text(fixture.runner));
    assert_golden("proxy.commands", commands);
    assert_int_equal(mode_of(&fixture, RF_PROXY_DIR "/authority.key"), 0640);
    assert_int_equal(mode_of(&fixture, RF_PROXY_STATE), 0700);
    rf_autosecret char *root = fixture_read(&fixture, RF_STATE_CA "/key.pem");
    rf_autosecret char *key = fixture_read(&fixture, RF_PROXY_DIR "/authority.key");
    assert_string_not_equal(root, key); /* the root's key does not leave the state */
    fixture_close(&fixture);
}

static void what_caddy_refuses_leaves_the_old_one(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    open_company(&fixture);
    fixture_write(&fixture, RF_PROXY_FILE, "the old one\n", 0644);
    fixture.env.runner = rf_runner_fault(rf_runner_dry(), 1, 1);
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, &error), -1);
    assert_error_has(error, "the proxy's configuration is not taken over");
    rf_autofree char *text = fixture_read(&fixture, RF_PROXY_FILE);
    assert_string_equal(text, "the old one\n");
    rf_runner_free(fixture.env.runner);
    fixture_close(&fixture);
}

static void the_authority_is_for_the_published_names_only(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *before = fixture_read(&fixture, RF_PROXY_DIR "/authority.pem");
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *same = fixture_read(&fixture, RF_PROXY_DIR "/authority.pem");
    assert_string_equal(before, same);
    char **published = &fixture.model->guests[3].published;
    free(*published);
    *published = rf_strdup("laden.musterkunde.example");
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, NULL), 0);
    rf_autofree char *after = fixture_read(&fixture, RF_PROXY_DIR "/authority.pem");
    assert_string_not_equal(before, after);
    fixture_close(&fixture);
}

static void without_names_it_is_stopped(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    fixture_write(&fixture, RF_PROXY_FILE, "an old one\n", 0644);
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_proxy.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    assert_string_equal(rf_runner_dry_text(fixture.runner), "systemctl disable --quiet --now caddy.service\n"
                                                            "systemctl mask --quiet caddy.service\n");
    fixture_close(&fixture);
}

static void a_node_without_caddy_says_so(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open_with(&fixture, fixture_company, NULL, rf_runner_dry());
    assert_int_equal(rf_step_proxy.apply(&fixture.env, fixture.model, &error), -1);
    assert_error(error, "this node has no account 'caddy'; is the package installed?");
    fixture_close(&fixture);
}

static void its_files_alone_start_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    open_company(&fixture);
    assert_int_equal(rf_proxy_write(fixture.model, NULL), 0);
    rf_autofree char *text = fixture_read(&fixture, RF_PROXY_FILE), *wanted = rf_proxy_text(fixture.model);
    assert_string_equal(text, wanted);
    assert_int_equal(mode_of(&fixture, RF_PROXY_DIR "/authority.key"), 0640);
    assert_string_equal(rf_runner_dry_text(fixture.runner), "");
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_is_as_it_was_reviewed),
        cmocka_unit_test(the_own_ca_is_no_issuer_beside_a_certificate_by_acme),
        cmocka_unit_test(it_is_validated_before_it_counts),
        cmocka_unit_test(what_caddy_refuses_leaves_the_old_one),
        cmocka_unit_test(the_authority_is_for_the_published_names_only),
        cmocka_unit_test(without_names_it_is_stopped),
        cmocka_unit_test(a_node_without_caddy_says_so),
        cmocka_unit_test(its_files_alone_start_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
