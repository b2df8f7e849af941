/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fat.h"
#include "base/file.h"
#include "tests/unit/unit.h"

#include <fcntl.h>

/* A FAT32 file system in a file, as mkfs.vfat makes it. */
static char *make_fat(void)
{
    char *path = rf_format("%s/esp.img", unit_scratch());
    rf_autorunner rf_runner *real = rf_runner_real();
    rf_autofd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, (off_t)64 << 20), 0);
    assert_int_equal(rf_run_argv(real, RF_ARGV("mkfs.vfat", "-F", "32", path), NULL), 0);
    return path;
}

static void put_byte(const char *path, off_t where, uint8_t byte)
{
    rf_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &byte, 1, where), 1);
}

static bool is_whole(const char *path)
{
    rf_autorunner rf_runner *real = rf_runner_real();
    return rf_run_argv(real, RF_ARGV("fsck.fat", "-n", path), NULL) == 0;
}

static void one_that_was_unmounted_is_left_alone(void **state)
{
    (void)state;
    rf_autofree char *path = make_fat();
    rf_autorunner rf_runner *dry = rf_runner_dry();
    assert_int_equal(rf_fat_mend(dry, path, NULL), 0);
    assert_string_equal(rf_runner_dry_text(dry), "");
}

/* Seen: an ESP that was mounted when the power went bore the mark for ever. */
static void one_that_was_written_when_the_power_went_is_mended(void **state)
{
    (void)state;
    rf_autofree char *path = make_fat();
    rf_autorunner rf_runner *real = rf_runner_real();
    put_byte(path, 0x41, 1);
    put_byte(path, 32 * 512 + 20, 0xf7); /* the first copy of the table: cluster 5 leads to one that is free */
    assert_false(is_whole(path));
    assert_int_equal(rf_fat_mend(real, path, NULL), 0);
    assert_true(is_whole(path));
    assert_int_equal(rf_fat_mend(real, path, NULL), 0);
}

static void one_that_cannot_be_mended_is_said(void **state)
{
    (void)state;
    rf_autofree char *path = make_fat();
    rf_autorunner rf_runner *real = rf_runner_real();
    rf_error *error = NULL, *none = NULL;
    put_byte(path, 0x41, 1);
    put_byte(path, 0x0b, 3); /* bytes in a sector */
    assert_int_equal(rf_fat_mend(real, path, &error), -1);
    rf_autofree char *wanted = rf_format("%s was written when the power went, and fsck.fat can't mend it", path);
    assert_error_has(error, wanted);
    assert_int_equal(rf_fat_mend(real, "/nonexistent", &none), -1);
    assert_error_has(none, "/nonexistent can't be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_that_was_unmounted_is_left_alone),
                                       cmocka_unit_test(one_that_was_written_when_the_power_went_is_mended),
                                       cmocka_unit_test(one_that_cannot_be_mended_is_said)};
    return cmocka_run_group_tests(tests, unit_scratch_open, unit_scratch_close);
}
