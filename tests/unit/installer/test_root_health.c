/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of a root's health that is read from /sys and the mounts; the rest needs a node. */
#include "base/paths.h"
#include "installer/root_health.h"
#include "tests/unit/mounts.h"
#include "tests/unit/unit.h"

static void put(const char *below, const char *text)
{
    rf_autofree char *path = rf_format("%s/%s", unit_scratch(), below), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

static void array(const char *name, const char *array_state, const char *degraded)
{
    rf_autofree char *state = rf_format("sys/block/%s/md/array_state", name);
    rf_autofree char *missing = rf_format("sys/block/%s/md/degraded", name);
    put(state, array_state);
    put(missing, degraded);
}

/* A place on a device of its own; false where nothing can be mounted. */
static bool mounted(const char *path)
{
    rf_autofree char *where = rf_format("%s%s", unit_scratch(), path);
    assert_int_equal(rf_make_dirs(where, 0755, NULL), 0);
    return mount("tmpfs", where, "tmpfs", 0, NULL) == 0;
}

static void assert_sick(const char *why)
{
    rf_error *error = NULL;
    assert_int_equal(rf_root_health_disks(unit_scratch(), &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error(error, why);
}

static void each_lack_is_named(void **state)
{
    (void)state;
    assert_sick("0 of this node's two arrays run");
    array("md126", "inactive", "0");
    array("md127", "active", "1");
    assert_sick("array md126 is inactive");
    array("md126", "clean", "0"); /* a member that is lost is no matter of the root: md127 */
    assert_sick("nothing is mounted at " RF_POOL_DIR);
    if (!mounted(RF_POOL_DIR))
        skip();
    assert_sick("nothing is mounted at " RF_STATE_DIR);
    assert_true(mounted(RF_STATE_DIR));
    assert_int_equal(rf_root_health_disks(unit_scratch(), NULL), 0);
    rf_autofree char *pool = rf_format("%s" RF_POOL_DIR, unit_scratch()),
                     *kept = rf_format("%s" RF_STATE_DIR, unit_scratch());
    assert_true(umount(pool) == 0 && umount(kept) == 0);
}

static int open_group(void **state)
{
    mounts_of_our_own(state);
    return unit_scratch_open(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_lack_is_named)};
    return cmocka_run_group_tests_name("installer/root_health", tests, open_group, unit_scratch_close);
}
