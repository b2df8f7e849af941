/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which root is booted: said once at the installation, and never again by it. */
#include "image/region.h"
#include "installer/roots.h"
#include "tests/unit/installer/deploy.h"
#include "tests/unit/mounts.h"

#define TOP "target/system"
#define CONFIG TOP RF_NODE_GRUB_CONFIG
#define NOTE TOP RF_NODE_DIR "/roots/1.json"

static rf_roots *read_roots(const struct deployed *self)
{
    rf_autofree char *top = rf_format("%s/" TOP, self->top);
    rf_roots *roots = NULL;
    assert_int_equal(rf_roots_read(top, 0, &roots, NULL), 0);
    return roots;
}

static void the_first_root_is_booted_and_good(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    deployed_put(&self, TOP "/roots/1/etc/os-release", "x");
    assert_int_equal(deployed_apply(&self, &rf_step_entry, NULL), 0);
    rf_autoroots rf_roots *roots = read_roots(&self);
    assert_true(roots->choice.root == 1 && roots->choice.before == 0 && !*roots->choice.trial);
    assert_int_equal(roots->count, 1);
    assert_string_equal(roots->list[0].how, RF_ROOT_INSTALLED);
    assert_true(roots->list[0].good > 0);
    assert_int_equal(deployed_mode(&self, CONFIG), 0600);
    assert_int_equal(deployed_mode(&self, NOTE), 0600);
}

/* An ISO that repairs a node must not make it boot its first root again. */
static void what_is_chosen_stays(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    struct rf_step_env env = {.runner = self.runner};
    if (!deployed_mounted(&self))
        skip();
    const struct rf_boot_choice second = {.root = 2};
    rf_autofree char *top = rf_format("%s/" TOP, self.top);
    deployed_put(&self, TOP "/roots/2/etc/os-release", "x");
    assert_int_equal(rf_step_entry.probe(&env, self.deploy, NULL), RF_PROBE_TODO);
    assert_int_equal(rf_roots_choose(top, "n1", "11111111-2222-5333-8444-555555555555", &second, NULL), 0);
    assert_int_equal(rf_step_entry.probe(&env, self.deploy, NULL), RF_PROBE_DONE);
    /* and every step works on that root: none unpacks the first one again */
    assert_int_equal(rf_step_root.probe(&env, self.deploy, NULL), RF_PROBE_DONE);
    assert_string_equal(self.deploy->ids.root, "roots/2");
    rf_autofree char *id = rf_deploy_root(self.deploy, "/etc/machine-id");
    assert_non_null(strstr(id, "/system/roots/2/etc/machine-id"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_root_is_booted_and_good),
        cmocka_unit_test(what_is_chosen_stays),
    };
    return cmocka_run_group_tests_name("installer/step_entry", tests, mounts_of_our_own, NULL);
}
