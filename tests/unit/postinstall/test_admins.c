/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"
#include "postinstall/admins.h"
#include "tests/unit/postinstall/fixture.h"

#define STASH RF_STATE_DIR "/admins/jiku.secret"
#define HANDOVER RF_STATE_HANDOVER "/admins/jiku.age"

static void the_account_gets_its_keys_first(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_admin *admin = &fixture.model->admins[0];
    assert_int_equal(rf_step_admin.probe(&fixture.env, admin, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_admin.apply(&fixture.env, admin, NULL), 0);
    rf_autofree char *keys = fixture_read(&fixture, RF_SSH_KEYS_DIR "/jiku");
    assert_non_null(strstr(keys, TEST_KEY "\n"));
    assert_string_equal(rf_runner_dry_text(fixture.runner), "useradd --create-home --shell /bin/bash jiku\n"
                                                            "usermod --append --groups sudo jiku\n"
                                                            "usermod --append --groups libvirt jiku\n");
    fixture_close(&fixture);
}

static void only_what_is_missing_is_done(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_admin *admin = &fixture.model->admins[0];
    rf_autofree char *keys = rf_admin_keys(admin->asked);
    fixture_write(&fixture, "/etc/passwd", "root:x:0:0::/root:/bin/sh\njiku:x:1000:1000::/home/jiku:/bin/bash\n", 0644);
    fixture_write(&fixture, "/etc/group", "sudo:x:27:other,jiku\nlibvirt:x:110:\n", 0644);
    fixture_write(&fixture, RF_SSH_KEYS_DIR "/jiku", keys, 0644);
    assert_int_equal(rf_step_admin.probe(&fixture.env, admin, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_admin.apply(&fixture.env, admin, NULL), 0);
    assert_string_equal(rf_runner_dry_text(fixture.runner), "usermod --append --groups libvirt jiku\n");
    fixture_write(&fixture, "/etc/group", "sudo:x:27:other,jiku\nlibvirt:x:110:jiku\n", 0644);
    assert_int_equal(rf_step_admin.probe(&fixture.env, admin, NULL), RF_PROBE_DONE);
    fixture_write(&fixture, RF_SSH_KEYS_DIR "/jiku", "ssh-ed25519 an-old-one\n", 0644);
    assert_int_equal(rf_step_admin.probe(&fixture.env, admin, NULL), RF_PROBE_TODO);
    fixture_close(&fixture);
}

static void the_password_is_in_no_command_and_no_event(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_admin *admin = &fixture.model->admins[0];
    fixture_write(&fixture, STASH, "NotTheRealPassword1", 0600); /* left by a run that was killed */
    assert_int_equal(rf_step_admin_password.apply(&fixture.env, admin, NULL), 0);
    assert_non_null(strstr(rf_runner_dry_text(fixture.runner), "chpasswd"));
    assert_non_null(strstr(rf_runner_dry_text(fixture.runner), "age --encrypt --armor --recipients-file "));
    assert_null(strstr(rf_runner_dry_text(fixture.runner), "NotTheRealPassword1"));
    rf_autofree char *events = fixture_read(&fixture, "/events.jsonl"), *stash = fixture_read(&fixture, STASH);
    assert_non_null(strstr(events, "\"handover\""));
    assert_null(strstr(events, "NotTheRealPassword1"));
    assert_null(stash);
    fixture_close(&fixture);
}

static void a_kill_before_the_handover_keeps_the_password(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_fault(rf_runner_dry(), 2, 1)); /* age fails */
    const struct rf_node_admin *admin = &fixture.model->admins[0];
    assert_int_equal(rf_step_admin_password.apply(&fixture.env, admin, &error), -1);
    assert_error_has(error, "encrypting to the admins' keys");
    rf_autofree char *first = fixture_read(&fixture, STASH), *handover = fixture_read(&fixture, HANDOVER);
    assert_non_null(first);
    assert_null(handover);
    assert_int_equal(rf_step_admin_password.probe(&fixture.env, admin, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_admin_password.apply(&fixture.env, admin, NULL), 0);
    fixture_close(&fixture);
}

static void done_means_set_and_handed_over(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_admin *admin = &fixture.model->admins[0];
    fixture_write(&fixture, HANDOVER, "age", 0600);
    fixture_write(&fixture, "/etc/shadow", "jiku:!:20000:0:99999:7:::\n", 0600);
    assert_int_equal(rf_step_admin_password.probe(&fixture.env, admin, NULL), RF_PROBE_TODO);
    fixture_write(&fixture, "/etc/shadow", "jiku:$y$j9T$abc$def:20000:0:99999:7:::\n", 0600);
    assert_int_equal(rf_step_admin_password.probe(&fixture.env, admin, NULL), RF_PROBE_DONE);
    fixture_write(&fixture, STASH, "x", 0600);
    assert_int_equal(rf_step_admin_password.probe(&fixture.env, admin, NULL), RF_PROBE_TODO);
    fixture_close(&fixture);
}

static void a_locked_password_is_a_password(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    fixture_write(&fixture, HANDOVER, "age", 0600);
    fixture_write(&fixture, "/etc/shadow", "jiku:!$y$j9T$abc$def:20000:0:99999:7:::\n", 0600); /* passwd -l */
    assert_int_equal(rf_step_admin_password.probe(&fixture.env, &fixture.model->admins[0], NULL), RF_PROBE_DONE);
    fixture_close(&fixture);
}

/* His keys, his password and sudo worked for ever. */
static void who_left_the_profile_is_locked(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    rf_autofree char *keys = rf_admin_keys(fixture.model->admins[0].asked);
    assert_int_equal(rf_step_admins_old.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    static const char *const names[] = {"jiku", "karl", "gone"};
    for (size_t i = 0; i < RF_COUNT(names); i++) {
        rf_autofree char *path = rf_format(RF_SSH_KEYS_DIR "/%s", names[i]);
        fixture_write(&fixture, path, keys, 0644);
    }
    fixture_write(&fixture, RF_SSH_KEYS_DIR "/backup", TEST_KEY "\n", 0644); /* made by a person */
    fixture_write(&fixture, "/etc/passwd", "jiku:x:1000:1000::/home/jiku:/bin/bash\nkarl:x:1001:1001::/h:/bin/bash\n",
                  0644);
    fixture_write(&fixture, "/etc/group", "sudo:x:27:karl,jiku\nlibvirt:x:110:jiku\n", 0644);
    assert_int_equal(rf_step_admins_old.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_admins_old.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_admins_old.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    assert_string_equal(rf_runner_dry_text(fixture.runner), "usermod --expiredate 1 karl\n"
                                                            "gpasswd --delete karl sudo\n");
    rf_autofree char *his = fixture_read(&fixture, RF_SSH_KEYS_DIR "/karl");
    rf_autofree char *ours = fixture_read(&fixture, RF_SSH_KEYS_DIR "/jiku");
    rf_autofree char *others = fixture_read(&fixture, RF_SSH_KEYS_DIR "/backup");
    assert_null(his);
    assert_string_equal(ours, keys);
    assert_non_null(others);
    fixture_close(&fixture);
}

static void who_could_not_be_locked_is_tried_again(void **state)
{
    (void)state;
    struct fixture fixture;
    rf_error *error = NULL;
    fixture_open(&fixture, NULL, rf_runner_fault(rf_runner_dry(), 1, 1));
    rf_autofree char *keys = rf_admin_keys(fixture.model->admins[0].asked);
    fixture_write(&fixture, RF_SSH_KEYS_DIR "/karl", keys, 0644);
    fixture_write(&fixture, "/etc/passwd", "karl:x:1001:1001::/home/karl:/bin/bash\n", 0644);
    assert_int_equal(rf_step_admins_old.apply(&fixture.env, fixture.model, &error), -1);
    assert_error_has(error, "the account of karl, who left the profile");
    assert_int_equal(rf_step_admins_old.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    const size_t admins = fixture.model->admins_count;
    fixture.model->admins_count = 0; /* a profile without any would lock everybody out */
    assert_int_equal(rf_step_admins_old.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    fixture.model->admins_count = admins;
    fixture_close(&fixture);
}

static void who_comes_back_is_unlocked(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    const struct rf_node_admin *admin = &fixture.model->admins[0];
    rf_autofree char *keys = rf_admin_keys(admin->asked);
    fixture_write(&fixture, "/etc/passwd", "jiku:x:1000:1000::/home/jiku:/bin/bash\n", 0644);
    fixture_write(&fixture, "/etc/group", "sudo:x:27:jiku\nlibvirt:x:110:jiku\n", 0644);
    fixture_write(&fixture, "/etc/shadow", "jiku:$y$j9T$abc$def:20000:0:99999:7::1:\n", 0600);
    fixture_write(&fixture, RF_SSH_KEYS_DIR "/jiku", keys, 0644);
    assert_int_equal(rf_step_admin.probe(&fixture.env, admin, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_admin.apply(&fixture.env, admin, NULL), 0);
    assert_non_null(strstr(rf_runner_dry_text(fixture.runner), "usermod --expiredate "));
    fixture_write(&fixture, "/etc/shadow", "jiku:$y$j9T$abc$def:20000:0:99999:7::21000:\n", 0600);
    assert_int_equal(rf_step_admin.probe(&fixture.env, admin, NULL), RF_PROBE_DONE); /* a date of people's own */
    fixture_close(&fixture);
}

static void sshd_takes_keys_only(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, NULL, rf_runner_dry());
    assert_int_equal(rf_step_sshd.probe(&fixture.env, fixture.model, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_step_sshd.apply(&fixture.env, fixture.model, NULL), 0);
    assert_int_equal(rf_step_sshd.probe(&fixture.env, fixture.model, NULL), RF_PROBE_DONE);
    rf_autofree char *text = fixture_read(&fixture, RF_SSHD_CONFIG);
    assert_non_null(strstr(text, "PasswordAuthentication no\n"));
    assert_non_null(strstr(text, "PermitRootLogin no\n"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_account_gets_its_keys_first),
        cmocka_unit_test(only_what_is_missing_is_done),
        cmocka_unit_test(the_password_is_in_no_command_and_no_event),
        cmocka_unit_test(a_kill_before_the_handover_keeps_the_password),
        cmocka_unit_test(done_means_set_and_handed_over),
        cmocka_unit_test(a_locked_password_is_a_password),
        cmocka_unit_test(who_left_the_profile_is_locked),
        cmocka_unit_test(who_could_not_be_locked_is_tried_again),
        cmocka_unit_test(who_comes_back_is_unlocked),
        cmocka_unit_test(sshd_takes_keys_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
