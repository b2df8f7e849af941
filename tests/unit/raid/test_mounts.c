/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "raid/inventory.h"
#include "raid/mounts.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mount.h>

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

static void *let_go(void *fd)
{
    usleep(300000);
    close(*(int *)fd);
    return NULL;
}

/* As a program does that is about to be started by another thread: it has this process's files for a moment. */
static void what_holds_a_mount_for_a_moment_is_waited_for(void **state)
{
    (void)state;
    rf_autofree char *where = unit_directory(), *file = rf_format("%s/file", where);
    if (mount("tmpfs", where, "tmpfs", 0, "size=64k") < 0) {
        print_message("skipped: mount(2) needs root\n");
        rf_remove_tree(where, NULL);
        skip();
    }
    int fd = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    pthread_t thread;
    assert_true(fd >= 0);
    assert_int_equal(umount(where), -1);
    assert_int_equal(errno, EBUSY);
    assert_int_equal(pthread_create(&thread, NULL, let_go, &fd), 0);
    assert_int_equal(rf_unmount(where, NULL), 0);
    pthread_join(thread, NULL);
    rf_autoerror rf_error *error = NULL;
    assert_int_equal(rf_unmount(where, &error), -1); /* nothing is mounted there: said at once */
    rf_remove_tree(where, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(last_mounted_first), cmocka_unit_test(nothing_mounted),
                                       cmocka_unit_test(what_holds_a_mount_for_a_moment_is_waited_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
