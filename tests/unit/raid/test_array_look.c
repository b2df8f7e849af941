/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is seen of an array: members that are files, and a directory that stands for /sys. */
#include "raid/array.h"
#include "tests/unit/raid/md.h"
#include "tests/unit/raid/raid.h"

#include <fcntl.h>

#define UUID "169bfa67-cdb7-5301-8593-2f7ec93a84c8"

struct fixture {
    char *directory, *members[2];
    struct rf_layout_array array;
};

static void finish(struct fixture *self)
{
    rf_remove_tree(self->directory, NULL);
    for (size_t i = 0; i < RF_COUNT(self->members); i++)
        free(self->members[i]);
    free(self->array.device);
    free(self->directory);
}

static void put(const struct fixture *self, const char *path, const char *text)
{
    rf_autofree char *full = rf_format("%s%s", self->directory, path), *above = rf_strdup(full);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, text, strlen(text), 0644, NULL), 0);
}

/* Two members with superblocks: DIR/dev/sda3 and sdb3; DIR/dev/md/data leads to md127, in which both are. */
static void start(struct fixture *self)
{
    *self = (struct fixture){.directory = unit_directory()};
    put(self, "/dev/md127", "");
    put(self, "/dev/md/none", "");
    self->array = (struct rf_layout_array){.name = "data",
                                           .uuid = UUID,
                                           .level = RF_LEVEL_RAID5,
                                           .raid_disks = 2,
                                           .members = self->members,
                                           .members_count = 2};
    self->array.device = rf_format("%s/dev/md/data", self->directory);
    assert_int_equal(symlink("../md127", self->array.device), 0);
    for (size_t i = 0; i < 2; i++) {
        const char letter = (char)('a' + i);
        self->members[i] = rf_format("%s/dev/sd%c3", self->directory, letter);
        rf_autofree char *path = rf_format("/dev/sd%c3", letter),
                         *holder = rf_format("/sys/class/block/sd%c3/holders/md127", letter);
        put(self, path, "");
        put(self, holder, "");
        assert_int_equal(truncate(self->members[i], 4 * RF_MIB), 0);
        write_superblock(self->members[i]);
    }
    put(self, "/sys/block/md127/md/array_state", "active\n");
    put(self, "/sys/block/md127/md/raid_disks", "2\n");
    put(self, "/sys/block/md127/md/sync_action", "idle\n");
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static void a_running_array(void **state)
{
    FIXTURE(self);
    rf_autoarraystate struct rf_array_state seen = {0};
    assert_int_equal(rf_array_look(self.directory, &self.array, &seen, NULL), 0);
    assert_true(seen.running);
    assert_int_equal(seen.ours, 2);
    assert_int_equal(seen.raid_disks, 2);
    assert_string_equal(seen.name, "md127");
    assert_string_equal(seen.action, "idle");
    assert_true(rf_array_holds(&seen, &seen.members[0]) && rf_array_holds(&seen, &seen.members[1]));
}

/* The kernel names both numbers while members move: the first is what it becomes. */
static void an_array_that_grows(void **state)
{
    FIXTURE(self);
    put(&self, "/sys/block/md127/md/raid_disks", "4 (3)\n");
    put(&self, "/sys/block/md127/md/sync_action", "reshape\n");
    rf_autoarraystate struct rf_array_state seen = {0};
    assert_int_equal(rf_array_look(self.directory, &self.array, &seen, NULL), 0);
    assert_int_equal(seen.raid_disks, 4);
    assert_string_equal(seen.action, "reshape");
}

static void an_array_that_does_not_run(void **state)
{
    static const char *const states[] = {"inactive\n", "clear\n"};
    FIXTURE(self);
    for (size_t i = 0; i < RF_COUNT(states); i++) {
        put(&self, "/sys/block/md127/md/array_state", states[i]);
        rf_autoarraystate struct rf_array_state seen = {0};
        assert_int_equal(rf_array_look(self.directory, &self.array, &seen, NULL), 0);
        assert_false(seen.running || rf_array_holds(&seen, &seen.members[0]));
        assert_int_equal(seen.raid_disks, 0);
        assert_int_equal(seen.ours, 2);
    }
}

/* A partition with the right superblock that the array does not have: it fell out, and is not a member. */
static void a_member_that_fell_out(void **state)
{
    FIXTURE(self);
    rf_autofree char *holder = rf_format("%s/sys/class/block/sdb3/holders/md127", self.directory);
    assert_int_equal(unlink(holder), 0);
    rf_autoarraystate struct rf_array_state seen = {0};
    assert_int_equal(rf_array_look(self.directory, &self.array, &seen, NULL), 0);
    assert_true(seen.running && rf_array_holds(&seen, &seen.members[0]));
    assert_false(rf_array_holds(&seen, &seen.members[1]));
}

/* Told to zero, and not turning. What is not known is slow. */
static void disks_that_zero_by_themselves(void **state)
{
    static const struct {
        const char *zeroes, *rotational;
        bool fast;
    } rows[] = {{"2147483648\n", "0\n", true},
                {"0\n", "0\n", false},
                {"2147483648\n", "1\n", false},
                {NULL, "0\n", false},
                {"33553920\n", NULL, false}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        FIXTURE(self);
        if (rows[i].zeroes)
            put(&self, "/sys/class/block/queue/write_zeroes_max_bytes", rows[i].zeroes);
        if (rows[i].rotational)
            put(&self, "/sys/class/block/queue/rotational", rows[i].rotational);
        rf_autoarraystate struct rf_array_state seen = {0};
        assert_int_equal(rf_array_look(self.directory, &self.array, &seen, NULL), 0);
        assert_int_equal(seen.members[0].zeroes_fast, rows[i].fast);
    }
}

/* virtio says "rotational" of every disk. */
static void a_virtio_disk_is_its_host(void **state)
{
    FIXTURE(self);
    rf_autofree char *virtio = rf_format("%s/dev/vda3", self.directory);
    assert_int_equal(rename(self.members[0], virtio), 0);
    free(self.members[0]);
    self.members[0] = RF_STEAL(virtio);
    put(&self, "/sys/class/block/vda3/partition", "3\n");
    put(&self, "/sys/class/block/queue/rotational", "1\n");
    for (int zeroes = 0; zeroes <= 1; zeroes++) {
        put(&self, "/sys/class/block/queue/write_zeroes_max_bytes", zeroes ? "2147483136\n" : "0\n");
        rf_autoarraystate struct rf_array_state seen = {0};
        assert_int_equal(rf_array_look(self.directory, &self.array, &seen, NULL), 0);
        assert_int_equal(seen.members[0].zeroes_fast, zeroes);
        assert_false(seen.members[1].zeroes_fast);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_array),
        cmocka_unit_test(an_array_that_grows),
        cmocka_unit_test(an_array_that_does_not_run),
        cmocka_unit_test(a_member_that_fell_out),
        cmocka_unit_test(disks_that_zero_by_themselves),
        cmocka_unit_test(a_virtio_disk_is_its_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
