/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A root beside another one: in which order, where it is written, and as which root it is configured. */
#include "tests/unit/installer/deploy.h"

static char *plan_text(bool written)
{
    struct deployed self;
    deployed_open(&self, rf_runner_dry());
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_deploy_make_beside(self.deploy, 2, 1);
    rf_deploy_beside_steps(self.deploy, written, plan);
    char *text = rf_plan_text(plan);
    deployed_close(&self);
    return text;
}

/* What is booted changes in the last step: read the difference before it is committed. */
static void the_order_is_as_it_was_reviewed(void **state)
{
    (void)state;
    rf_autofree char *whole = plan_text(false), *rest = plan_text(true);
    unit_golden("tests/golden/installer/root-beside.txt", whole);
    unit_golden("tests/golden/installer/root-beside-written.txt", rest);
}

/* It is written under another name, and is that root in all of its own files. */
static void it_is_written_under_another_name(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    rf_deploy_make_beside(self.deploy, 12, 1);
    rf_autofree char *path = rf_deploy_root(self.deploy, "/etc/fstab");
    rf_autofree char *wanted = rf_format("%s/system/roots/12.new/etc/fstab", self.target);
    assert_string_equal(path, wanted);
    assert_string_equal(self.deploy->ids.root, "roots/12");
    rf_autofree char *grub = rf_node_grub_config(self.profile, &self.deploy->ids);
    assert_non_null(strstr(grub, "linux /roots/12/boot/vmlinuz "));
    assert_null(strstr(grub, ".new"));
}

/* The node's disks are mounted by whoever deploys; no step assembles or mounts anything. */
static void nothing_is_mounted(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    struct rf_step_env env = {.runner = self.runner};
    rf_deploy_make_beside(self.deploy, 2, 1);
    assert_int_equal(rf_deploy_open(&env, self.deploy, NULL), 0);
    assert_string_equal(rf_runner_dry_text(self.runner), "");
}

int main(void)
{
    setenv("RICHTFEST_RECIPES", "postinstall/recipes", 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_as_it_was_reviewed),
        cmocka_unit_test(it_is_written_under_another_name),
        cmocka_unit_test(nothing_is_mounted),
    };
    return cmocka_run_group_tests_name("installer/deploy", tests, NULL, NULL);
}
