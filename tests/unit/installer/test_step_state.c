/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must outlive a reinstalled root: who may read it, and that a node keeps its identity. */
#include "base/json.h"
#include "tests/unit/installer/deploy.h"

#define STATE "target/system/state/"
#define ROOT_ID "target/system/roots/1/etc/machine-id"

static bool able(rf_runner *runner)
{
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("ssh-keygen", "-?")};
    if (rf_run_status(runner, &command, &result, NULL) == 0 && result.status != 127)
        return true;
    print_message("skipped: ssh-keygen is not installed\n");
    return false;
}

#define APPLY(self) assert_int_equal(deployed_apply(&self, &rf_step_state, NULL), 0)

static void everything_is_kept_and_secrets_are_closed(void **state)
{
    DEPLOYED(self, rf_runner_real());
    if (!able(self.runner))
        skip();
    deployed_put(&self, ROOT_ID, "");
    APPLY(self);
    rf_autofree char *profile = deployed_read(&self, STATE "profile.yaml"), *original = NULL;
    assert_int_equal(rf_read_file("profiles/musterkunde.yaml", 1 << 18, &original, NULL, NULL), 0);
    assert_string_equal(profile, original);
    rf_autofree char *machine = rf_format("%s/" STATE "machine.json", self.top);
    rf_automachine rf_machine *again = NULL;
    assert_int_equal(rf_machine_load(machine, &again, NULL), 0);
    assert_int_equal(again->disks_count, 2);
    static const struct {
        const char *path;
        unsigned mode;
    } modes[] = {{"profile.yaml", 0600},
                 {"machine.json", 0600},
                 {"machine-id", 0644},
                 {"ssh", 0755},
                 {"ssh/ssh_host_ed25519_key", 0600},
                 {"ssh/ssh_host_ecdsa_key", 0600},
                 {"ssh/ssh_host_ed25519_key.pub", 0644},
                 {"guests", 0700},
                 {"handover", 0700}};
    for (size_t i = 0; i < RF_COUNT(modes); i++) {
        rf_autofree char *path = rf_format(STATE "%s", modes[i].path);
        if (deployed_mode(&self, path) != modes[i].mode)
            fail_msg("%s: %o", path, deployed_mode(&self, path));
    }
    rf_autofree char *kept = deployed_read(&self, STATE "machine-id"), *root = deployed_read(&self, ROOT_ID);
    assert_string_equal(kept, root);
    assert_int_equal(strspn(kept, "0123456789abcdef"), 32);
    assert_string_equal(kept + 32, "\n");
    assert_int_equal(deployed_mode(&self, ROOT_ID), 0444);
}

static void a_node_keeps_its_identity(void **state)
{
    DEPLOYED(self, rf_runner_real());
    if (!able(self.runner))
        skip();
    deployed_put(&self, ROOT_ID, "");
    APPLY(self);
    rf_autofree char *id = deployed_read(&self, STATE "machine-id");
    rf_autofree char *key = deployed_read(&self, STATE "ssh/ssh_host_ed25519_key");
    deployed_put(&self, ROOT_ID, "another\n"); /* a new root */
    deployed_put(&self, STATE "ssh/ssh_host_ecdsa_key.new", "half of one, of a run that was killed");
    APPLY(self);
    rf_autofree char *id_again = deployed_read(&self, STATE "machine-id"), *root = deployed_read(&self, ROOT_ID);
    rf_autofree char *key_again = deployed_read(&self, STATE "ssh/ssh_host_ed25519_key");
    assert_string_equal(id, id_again);
    assert_string_equal(id, root);
    assert_string_equal(key, key_again);
}

/* Half a pair is none: sshd would start without that key, or with one whose public half nobody knows. */
static void an_interrupted_key_is_made_anew(void **state)
{
    DEPLOYED(self, rf_runner_real());
    if (!able(self.runner))
        skip();
    deployed_put(&self, ROOT_ID, "");
    deployed_put(&self, STATE "ssh/ssh_host_ed25519_key.pub", "half");
    deployed_put(&self, STATE "ssh/ssh_host_ed25519_key.new", "half");
    APPLY(self);
    rf_autofree char *public = deployed_read(&self, STATE "ssh/ssh_host_ed25519_key.pub");
    rf_autofree char *private = deployed_read(&self, STATE "ssh/ssh_host_ed25519_key");
    rf_autofree char *left = deployed_read(&self, STATE "ssh/ssh_host_ed25519_key.new");
    assert_int_equal(strncmp(public, "ssh-ed25519 ", 12), 0);
    assert_non_null(strstr(private, "PRIVATE KEY"));
    assert_null(left);
}

/* The profile is written last: where it is, everything is. */
static void a_failure_leaves_it_undone(void **state)
{
    DEPLOYED(self, rf_runner_fault(rf_runner_real(), 2, 1));
    deployed_put(&self, ROOT_ID, "");
    rf_error *error = NULL;
    assert_int_equal(deployed_apply(&self, &rf_step_state, &error), -1);
    assert_error_has(error, "SSH host key (");
    rf_autofree char *profile = deployed_read(&self, STATE "profile.yaml");
    rf_autofree char *key = deployed_read(&self, STATE "ssh/ssh_host_ecdsa_key");
    assert_null(profile);
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_kept_and_secrets_are_closed),
        cmocka_unit_test(a_node_keeps_its_identity),
        cmocka_unit_test(an_interrupted_key_is_made_anew),
        cmocka_unit_test(a_failure_leaves_it_undone),
    };
    return cmocka_run_group_tests_name("installer/step_state", tests, NULL, NULL);
}
