/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes a copied root this node: who gets in, what boots, what time it is. */
#include "tests/unit/installer/deploy.h"

#include <unistd.h>

#define ROOT "target/system/roots/1"

/* What the step finds in an unpacked root of ours. */
static void put_root(const struct deployed *self)
{
    deployed_put(self, ROOT "/boot/vmlinuz-6.12.1-amd64", "kernel");
    deployed_put(self, ROOT "/boot/initrd.img-6.12.1-amd64", "initrd");
    deployed_put(self, ROOT "/usr/share/zoneinfo/Europe/Berlin", "TZif");
    deployed_put(self, ROOT "/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
}

#define CONFIGURED(self, runner)                                                                                       \
    DEPLOYED(self, runner);                                                                                            \
    put_root(&self)

static void points_to(const struct deployed *self, const char *below, const char *wanted)
{
    rf_autofree char *path = rf_format("%s/" ROOT "%s", self->top, below);
    char found[128] = "";
    assert_true(readlink(path, found, sizeof(found) - 1) > 0);
    assert_string_equal(found, wanted);
}

static void everything_is_written(void **state)
{
    CONFIGURED(self, rf_runner_dry());
    assert_int_equal(deployed_apply(&self, &rf_step_configure, NULL), 0);
    points_to(&self, "/boot/vmlinuz", "vmlinuz-6.12.1-amd64");
    points_to(&self, "/boot/initrd.img", "initrd.img-6.12.1-amd64");
    points_to(&self, "/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin");
    rf_autofree char *fstab = deployed_read(&self, ROOT "/etc/fstab"),
                     *grub = deployed_read(&self, ROOT "/boot/grub/grub.cfg"),
                     *keys = deployed_read(&self, ROOT "/etc/ssh/authorized_keys.d/jiku");
    assert_non_null(strstr(fstab, rf_layout_filesystem(self.layout, "system")->uuid));
    assert_non_null(strstr(grub, "/boot/vmlinuz"));
    assert_non_null(strstr(keys, "ssh-ed25519 "));
    assert_int_equal(deployed_mode(&self, ROOT "/boot/grub/grub.cfg"), 0600);
    const char *said = rf_runner_dry_text(self.runner);
    assert_non_null(strstr(said, "useradd --root"));
    assert_non_null(strstr(said, "--groups sudo,libvirt jiku"));
}

static void an_account_that_is_there_is_not_made_again(void **state)
{
    CONFIGURED(self, rf_runner_dry());
    deployed_put(&self, ROOT "/etc/passwd", "root:x:0:0::/root:/bin/bash\njiku:x:1000:1000::/home/jiku:/bin/bash\n");
    assert_int_equal(deployed_apply(&self, &rf_step_configure, NULL), 0);
    assert_null(strstr(rf_runner_dry_text(self.runner), "useradd"));
}

/* useradd(8) was killed with its locks taken: the next one would wait for a process that is none. */
static void locks_of_a_killed_run_are_dropped(void **state)
{
    CONFIGURED(self, rf_runner_dry());
    deployed_put(&self, ROOT "/etc/passwd.lock", "123");
    deployed_put(&self, ROOT "/etc/gshadow.lock", "123");
    assert_int_equal(deployed_apply(&self, &rf_step_configure, NULL), 0);
    assert_null(deployed_read(&self, ROOT "/etc/passwd.lock"));
    assert_null(deployed_read(&self, ROOT "/etc/gshadow.lock"));
}

static void what_is_missing_is_named(void **state)
{
    rf_error *error = NULL;
    CONFIGURED(self, rf_runner_fault(rf_runner_dry(), 1, 1));
    assert_int_equal(deployed_apply(&self, &rf_step_configure, &error), -1);
    assert_error_has(error, "node.admins: the account jiku");
    rf_autofree char *zone = rf_format("%s/" ROOT "/usr/share/zoneinfo/Europe/Berlin", self.top);
    assert_int_equal(unlink(zone), 0);
    assert_int_equal(deployed_apply(&self, &rf_step_configure, &error), -1);
    assert_error(error, "node.timezone: Europe/Berlin is not a time zone of this image");
}

static void a_root_without_a_kernel_is_none_of_ours(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    deployed_put(&self, ROOT "/boot/config", "x");
    rf_error *error = NULL;
    assert_int_equal(deployed_apply(&self, &rf_step_configure, &error), -1);
    assert_error_has(error, "holds no kernel");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_written),
        cmocka_unit_test(an_account_that_is_there_is_not_made_again),
        cmocka_unit_test(locks_of_a_killed_run_are_dropped),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(a_root_without_a_kernel_is_none_of_ours),
    };
    return cmocka_run_group_tests_name("installer/step_configure", tests, NULL, NULL);
}
