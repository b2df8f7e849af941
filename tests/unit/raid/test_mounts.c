/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/inventory.h"
#include "raid/mounts.h"
#include "tests/unit/unit.h"

static const char mountinfo[] = "21 1 0:20 / / rw - overlay overlay rw\n"
                                "30 21 0:31 / /run/target/system rw - btrfs /dev/md127 rw\n"
                                "31 21 253:0 / /run/target/images rw - xfs /dev/mapper/rf-images rw\n"
                                "32 21 8:2 / /run/target-other rw - vfat /dev/sda2 rw\n"
                                "33 30 8:2 / /run/target/system/a\\040b rw - vfat /dev/sda2 rw\n"
                                "34 21 8:2 / /run/target rw - tmpfs tmpfs rw";

static void last_mounted_first(void **state)
{
    (void)state;
    rf_autonames char **points = rf_mounts_below(mountinfo, "/run/target");
    static const char *const expected[] = {"/run/target", "/run/target/system/a b", "/run/target/images",
                                           "/run/target/system"};
    for (size_t i = 0; i < RF_COUNT(expected); i++)
        assert_string_equal(points[i], expected[i]);
    assert_null(points[RF_COUNT(expected)]);
}

static void nothing_mounted(void **state)
{
    (void)state;
    rf_autonames char **points = rf_mounts_below("", "/run/target");
    assert_null(points[0]);
    rf_autonames char **others = rf_mounts_below(mountinfo, "/run/targ");
    assert_null(others[0]);
    assert_int_equal(rf_target_close("/nonexistent/target", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(last_mounted_first), cmocka_unit_test(nothing_mounted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
