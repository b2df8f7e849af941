/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/installer/deploy.h"

#define IMAGE "target/images/base/ad.qcow2"

static ino_t inode(const struct deployed *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

static void images_are_copied_once(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    deployed_put(&self, "medium/guests/ad.qcow2", "a guest's image");
    deployed_put(&self, "medium/guests/web.qcow2", "");
    deployed_put(&self, "medium/guests/.hidden", "x");
    assert_int_equal(deployed_apply(&self, &rf_step_payload, NULL), 0);
    rf_autofree char *image = deployed_read(&self, IMAGE), *hidden = deployed_read(&self, "target/images/base/.hidden");
    rf_autofree char *empty = deployed_read(&self, "target/images/base/web.qcow2");
    assert_string_equal(image, "a guest's image");
    assert_string_equal(empty, "");
    assert_null(hidden);
    assert_int_equal(deployed_mode(&self, IMAGE), 0644); /* QEMU's own user reads it */
    const ino_t before = inode(&self, IMAGE);
    assert_int_equal(deployed_apply(&self, &rf_step_payload, NULL), 0);
    assert_int_equal(inode(&self, IMAGE), before);
    deployed_put(&self, IMAGE, "an older");
    assert_int_equal(deployed_apply(&self, &rf_step_payload, NULL), 0);
    rf_autofree char *again = deployed_read(&self, IMAGE);
    assert_string_equal(again, "a guest's image");
}

static void a_medium_without_guests_is_fine(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    deployed_put(&self, "medium/live/vmlinuz", "x");
    assert_int_equal(deployed_apply(&self, &rf_step_payload, NULL), 0);
}

static void a_medium_that_can_not_be_read_is_said(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    deployed_put(&self, "medium/guests", "no directory");
    rf_error *error = NULL;
    assert_int_equal(deployed_apply(&self, &rf_step_payload, &error), -1);
    assert_error_has(error, "medium/guests can't be read: Not a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_copied_once),
        cmocka_unit_test(a_medium_without_guests_is_fine),
        cmocka_unit_test(a_medium_that_can_not_be_read_is_said),
    };
    return cmocka_run_group_tests_name("installer/step_payload", tests, NULL, NULL);
}
