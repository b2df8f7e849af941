/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/handover.h"
#include "tests/unit/postinstall/fixture.h"

#include <sys/stat.h>

#define PASSWORD "NotTheRealPassword1"

static bool able(rf_runner *runner, const char *program, const char *option)
{
    struct rf_command command = {.argv = RF_ARGV(program, option)};
    rf_autoresult struct rf_result result = {0};
    return rf_run_status(runner, &command, &result, NULL) == 0 && result.status != 127;
}

/* A throwaway key pair in the fixture's root, as the profile's only key. */
static void use_throwaway_key(struct fixture *fixture, rf_runner *runner)
{
    rf_autofree char *key = rf_format("%s/key", fixture->root);
    assert_int_equal(rf_run_argv(runner, RF_ARGV("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), NULL), 0);
    rf_autofree char *public = fixture_read(fixture, "/key.pub");
    char **slot = &fixture->profile->node.admins[0].ssh_keys[0];
    free(*slot);
    public[strcspn(public, "\n")] = '\0';
    *slot = rf_strdup(public);
}

static void the_admin_reads_what_was_handed_over(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_real());
    if (!able(fixture.runner, "age", "--version") || !able(fixture.runner, "ssh-keygen", "-?")) {
        fixture_close(&fixture);
        print_message("skipped: age or ssh-keygen is not installed\n");
        skip();
    }
    use_throwaway_key(&fixture, fixture.runner);
    const struct rf_node_guest *guest = &fixture.model->guests[0];
    fixture_write(&fixture, RF_STATE_GUESTS "/dc1/secrets.json", "{\"administrator\": \"" PASSWORD "\"}\n", 0600);
    assert_int_equal(rf_step_handover.probe(&fixture.env, guest, &error), RF_PROBE_TODO);
    assert_int_equal(rf_step_handover.apply(&fixture.env, guest, &error), 0);
    assert_int_equal(rf_step_handover.probe(&fixture.env, guest, &error), RF_PROBE_DONE);
    rf_autofree char *file = rf_format("%s" RF_STATE_HANDOVER "/dc1.age", fixture.root);
    rf_autofree char *key = rf_format("%s/key", fixture.root), *plain = NULL;
    struct stat status;
    assert_int_equal(stat(file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(rf_run_output(fixture.runner, RF_ARGV("age", "--decrypt", "-i", key, file), &plain, &error), 0);
    assert_non_null(strstr(plain, "password of the domain's Administrator: " PASSWORD "\n"));
    assert_non_null(strstr(plain, "dc1.ad.musterkunde.example"));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl");
    assert_non_null(strstr(events, "BEGIN AGE ENCRYPTED FILE"));
    assert_null(strstr(events, PASSWORD));
    rf_autofree char *left = rf_format("%s" RF_RUN_DIR, fixture.root);
    assert_int_equal(rmdir(left), 0); /* the file of recipients is gone */
    fixture_close(&fixture);
}

static void without_secrets_nothing_is_handed_over(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_step_handover.apply(&fixture.env, &fixture.model->guests[0], &error), -1);
    assert_error_has(error, "the passwords of dc1 are not on this node any more");
    fixture_close(&fixture);
}

static void keys_that_age_does_not_take_are_left_out(void **state)
{
    (void)state;
    char *ecdsa[] = {"ecdsa-sha2-nistp256 AAAA a"}, *both[] = {"sk-ssh-ed25519@openssh.com AAAA b", "ssh-rsa AAAA c"};
    struct rf_admin admins[] = {{"a", ecdsa, 1}, {"b", both, 2}};
    rf_profile profile = {.file = "p.yaml", .node = {.admins = admins, .admins_count = 2}};
    rf_autofree char *of_b = rf_handover_recipients(&profile, &admins[1]);
    rf_autofree char *of_a = rf_handover_recipients(&profile, &admins[0]);
    assert_string_equal(of_b, "ssh-rsa AAAA c\n");
    assert_string_equal(of_a, "ssh-rsa AAAA c\n"); /* has none of its own: a colleague passes it on */
    rf_autoproblems rf_problems problems = {0};
    rf_handover_check(&profile, &problems);
    assert_int_equal(problems.count, 0);
    profile.node.admins_count = 1;
    rf_handover_check(&profile, &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    assert_non_null(strstr(said, "p.yaml: error: node.admins: no admin has a key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_admin_reads_what_was_handed_over),
        cmocka_unit_test(without_secrets_nothing_is_handed_over),
        cmocka_unit_test(keys_that_age_does_not_take_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
