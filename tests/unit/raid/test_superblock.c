/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read from superblocks besides libblkid's view, on images of a few MiB. */
#include "base/command.h"
#include "raid/superblock.h"
#include "tests/unit/raid/raid.h"

#include <endian.h>
#include <fcntl.h>

#define UUID "169bfa67-cdb7-5301-8593-2f7ec93a84c8"

static void put32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

/* As mdadm 4.4 writes it, at 4 KiB (metadata 1.2). */
static void write_md(const char *path, uint32_t version, uint32_t level, uint32_t layout, uint32_t raid_disks)
{
    uint8_t block[512] = {0xfc, 0x4e, 0x2b, 0xa9};
    put32(block + 4, version);
    for (size_t i = 0; i < 16; i++)
        sscanf("169bfa67cdb7530185932f7ec93a84c8" + 2 * i, "%2hhx", &block[16 + i]);
    put32(block + 72, level);
    put32(block + 76, layout);
    put32(block + 92, raid_disks);
    block[144] = 8; /* super_offset, in sectors */
    rf_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 4 * RF_MIB), 0);
    assert_int_equal(pwrite(fd, block, sizeof(block), 4096), sizeof(block));
}

static void an_array_says_its_level_and_number(void **state)
{
    (void)state;
    static const struct {
        uint32_t level, layout, disks;
        const char *level_text, *layout_text;
    } rows[] = {{1, 0, 1, "raid1", NULL},         {1, 0, 8, "raid1", NULL},         {5, 2, 3, "raid5", NULL},
                {6, 2, 4, "raid6", NULL},         {10, 0x102, 4, "raid10", "n2"},   {10, 0x201, 5, "raid10", "f2"},
                {10, 0x20201, 3, "raid10", "f2"}, {10, 0x10201, 4, "raid10", "o2"}, {UINT32_MAX, 0, 2, "linear", NULL}};
    rf_autofree char *path = rf_format("%s/member", unit_scratch());
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        write_md(path, 1, rows[i].level, rows[i].layout, rows[i].disks);
        struct rf_signature *list = NULL;
        size_t count = 0;
        assert_int_equal(rf_signatures_of(path, &list, &count, NULL), 0);
        assert_int_equal(count, 1);
        assert_string_equal(list[0].uuid, UUID);
        assert_string_equal(list[0].level, rows[i].level_text);
        assert_int_equal(list[0].members, rows[i].disks);
        assert_int_equal(list[0].layout == NULL, rows[i].layout_text == NULL);
        if (rows[i].layout_text)
            assert_string_equal(list[0].layout, rows[i].layout_text);
        rf_signatures_free(list, count);
    }
}

/* Inside a disk the signature's offset counts from its partition. */
static void the_base_is_added(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/base", unit_scratch());
    write_md(path, 1, 5, 2, 3);
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct rf_signature signature = {.type = (char *)"linux_raid_member", .offset = 4096 - 1024};
    rf_superblock_fill(fd, 1024, &signature);
    assert_string_equal(signature.level, "raid5");
    free(signature.level);
}

static void what_cant_be_read_stays_unknown(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/old", unit_scratch());
    write_md(path, 0, 5, 2, 3); /* metadata 0.90 */
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct rf_signature old = {.type = (char *)"linux_raid_member", .offset = 4096};
    rf_superblock_fill(fd, 0, &old);
    assert_true(!old.level && old.members == 0);
    struct rf_signature beyond = {.type = (char *)"linux_raid_member", .offset = 8 * RF_MIB};
    rf_superblock_fill(fd, 0, &beyond);
    assert_true(!beyond.level && beyond.members == 0);
    struct rf_signature other = {.type = (char *)"ext4", .offset = 4096};
    rf_superblock_fill(fd, 0, &other);
    assert_true(!other.level && other.size == 0);
}

static void a_file_system_says_its_size(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/xfs", unit_scratch());
    const uint8_t head[16] = {'X', 'F', 'S', 'B', 0, 0, 0x10, 0, 0, 0, 0, 0, 0x01, 0, 0, 0};
    assert_int_equal(rf_write_file(path, (const char *)head, sizeof(head), 0600, NULL), 0);
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct rf_signature signature = {.type = (char *)"xfs"};
    rf_superblock_fill(fd, 0, &signature);
    assert_true(signature.size == 64 * RF_GIB);
}

/* What was written past the page cache is seen; a loop device stands for the disk, and its file for what md writes underneath. */
static void a_stale_page_is_not_believed(void **state)
{
    (void)state;
    rf_autofree char *path = rf_format("%s/stale", unit_scratch());
    rf_autorunner rf_runner *real = rf_runner_real();
    rf_autofree char *device = NULL;
    write_md(path, 1, 5, 2, 3);
    if (geteuid() != 0 || rf_run_output(real, RF_ARGV("losetup", "--find", "--show", path), &device, NULL) < 0) {
        print_message("skipped: no loop device to be had\n");
        skip();
    }
    device[strcspn(device, "\n")] = '\0';
    rf_autofd int held = open(device, O_RDONLY | O_CLOEXEC);         /* as the array holds its members */
    rf_run_argv(real, RF_ARGV("losetup", "--detach", device), NULL); /* losetup(8): in use, so as soon as it is not */
    for (unsigned members = 3; members <= 4; members++) {
        rf_autofd int file = open(path, O_WRONLY | O_CLOEXEC);
        const uint8_t raid_disks = (uint8_t)members;
        assert_int_equal(pwrite(file, &raid_disks, 1, 4096 + 92), 1);
        struct rf_signature *list = NULL;
        size_t count = 0;
        assert_int_equal(rf_signatures_of(device, &list, &count, NULL), 0);
        assert_int_equal(count, 1);
        assert_int_equal(list[0].members, members);
        rf_signatures_free(list, count);
    }
}

/* A member's superblock: its number, and the role that it knows of each number. */
static void write_roles(const char *path, uint32_t number, uint32_t known, const uint16_t *roles)
{
    uint8_t block[512];
    write_md(path, 1, 1, 0, 2);
    rf_autofd int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, block, sizeof(block), 4096), sizeof(block));
    put32(block + 160, number);
    put32(block + 220, known);
    for (uint32_t i = 0; i < known; i++) {
        const uint16_t role = htole16(roles[i]);
        memcpy(block + 256 + 2 * i, &role, sizeof(role));
    }
    assert_int_equal(pwrite(fd, block, sizeof(block), 4096), sizeof(block));
}

/* Pulled from a mirror that ran, a member still counts the other; one that ran alone has written down that the other was gone. */
static void who_counted_whom(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint16_t roles[3];
        uint32_t known, running;
        bool counts;
    } rows[] = {
        {"pulled while both ran", {0, 1, 0xffff}, 3, 1, true},
        {"ran on, the other being faulty", {0, 0xfffe, 0xffff}, 3, 1, false},
        {"ran on, the other being taken out", {0, 0xffff, 0xffff}, 3, 1, false},
        {"never heard of the one that replaced the other", {0, 1, 0xffff}, 2, 2, false},
    };
    rf_autofree char *member = rf_format("%s/out", unit_scratch()), *running = rf_format("%s/running", unit_scratch());
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        bool counts = !rows[i].counts;
        write_roles(member, 0, rows[i].known, rows[i].roles);
        write_roles(running, rows[i].running, 2, (const uint16_t[]){0xfffe, 1});
        assert_int_equal(rf_superblock_counts(member, running, &counts, NULL), 0);
        if (counts != rows[i].counts)
            fail_msg("%s", rows[i].what);
    }
    rf_error *err = NULL;
    bool untouched = true;
    assert_int_equal(rf_superblock_counts("/nowhere", running, &untouched, &err), -1);
    assert_error_has(err, "/nowhere can't be read");
    assert_true(untouched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_says_its_level_and_number), cmocka_unit_test(the_base_is_added),
        cmocka_unit_test(what_cant_be_read_stays_unknown),    cmocka_unit_test(a_file_system_says_its_size),
        cmocka_unit_test(a_stale_page_is_not_believed),       cmocka_unit_test(who_counted_whom),
    };
    return cmocka_run_group_tests(tests, unit_scratch_open, unit_scratch_close);
}
