/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/bios_boot.h"
#include "base/file.h"
#include "tests/unit/unit.h"

#include <fcntl.h>

enum { CORE_SIZE = 1300, START = 2048 * RF_SECTOR, ROOM = 1 << 20 };

/* A core as grub-mkimage makes it: the length of the rest stands in the first sector. */
static void make_core(uint8_t *core)
{
    for (int i = 0; i < CORE_SIZE; i++)
        core[i] = (uint8_t)i;
    static const uint8_t list[] = {2, 0, 0, 0, 0, 0, 0, 0, (CORE_SIZE - 1) / RF_SECTOR, 0, 0x20, 0x08};
    memcpy(core + RF_SECTOR - sizeof(list), list, sizeof(list));
}

static void test_sector_keeps_the_table(void **state)
{
    (void)state;
    uint8_t sector[RF_SECTOR], boot[RF_SECTOR];
    memset(sector, 0x11, sizeof(sector));
    memset(boot, 0x22, sizeof(boot));
    rf_bios_boot_sector(sector, boot, 0x123456789aULL);
    assert_int_equal(sector[0], 0x22);
    assert_int_equal(sector[0x10], 0x11); /* BIOS parameter block */
    assert_int_equal(sector[0x5c], 0x9a);
    assert_int_equal(sector[0x60], 0x12);
    assert_int_equal(sector[0x64], 0xff);
    assert_int_equal(sector[0x66], 0x90);
    assert_int_equal(sector[0x1b7], 0x22);
    assert_int_equal(sector[0x1b8], 0x11);
    assert_int_equal(sector[0x1fd], 0x11);
    assert_int_equal(sector[0x1fe], 0x55);
    assert_int_equal(sector[0x1ff], 0xaa);
}

static void test_core_points_behind_itself(void **state)
{
    (void)state;
    uint8_t core[CORE_SIZE];
    make_core(core);
    assert_int_equal(rf_bios_boot_core(core, CORE_SIZE, 2048, NULL), 0);
    assert_int_equal(core[RF_SECTOR - 12], 2049 & 0xff);
    assert_int_equal(core[RF_SECTOR - 11], 2049 >> 8);
}

static void test_rubbish_is_refused(void **state)
{
    (void)state;
    uint8_t core[CORE_SIZE] = {0};
    rf_error *error = NULL;
    assert_int_equal(rf_bios_boot_core(core, CORE_SIZE, 2048, &error), -1);
    assert_error(error, "this is no core image of grub-mkimage -O i386-pc");
    assert_int_equal(rf_bios_boot_core(core, 100, 2048, NULL), -1);
}

static void test_write_and_look_again(void **state)
{
    (void)state;
    uint8_t core[CORE_SIZE], boot[RF_SECTOR] = {0xeb, 0x63, 0x90};
    make_core(core);
    rf_autofree char *directory = unit_directory();
    rf_autofree char *disk = rf_format("%s/disk", directory), *core_path = rf_format("%s/core.img", directory);
    rf_autofree char *boot_path = rf_format("%s/boot.img", directory);
    rf_write_file(core_path, core, CORE_SIZE, 0600, NULL);
    rf_write_file(boot_path, boot, RF_SECTOR, 0600, NULL);
    rf_autofd int fd = open(disk, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 4 << 20), 0);
    assert_int_equal(rf_bios_boot_check(fd, START, ROOM, boot_path, core_path, NULL), 0);
    assert_int_equal(rf_bios_boot_write(fd, START, ROOM, boot_path, core_path, NULL), 0);
    assert_int_equal(rf_bios_boot_check(fd, START, ROOM, boot_path, core_path, NULL), 1);
    assert_int_equal(pwrite(fd, "x", 1, START + 900), 1); /* one byte of the core is damaged */
    assert_int_equal(rf_bios_boot_check(fd, START, ROOM, boot_path, core_path, NULL), 0);
    rf_error *error = NULL;
    assert_int_equal(rf_bios_boot_write(fd, START, 1024, boot_path, core_path, &error), -1);
    assert_error_has(error, "does not fit into the BIOS boot partition (1024 bytes)");
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sector_keeps_the_table),
        cmocka_unit_test(test_core_points_behind_itself),
        cmocka_unit_test(test_rubbish_is_refused),
        cmocka_unit_test(test_write_and_look_again),
    };
    return cmocka_run_group_tests_name("base/bios_boot", tests, NULL, NULL);
}
