/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which disk the step writes, and which it does not: the last look before the first write. */
#include "raid/bootable.h"
#include "tests/unit/raid/loop.h"

enum { START = 2 << 20 }; /* where tables and most signatures are */

static char *read_start(const struct fixture *self)
{
    char *bytes = rf_alloc(START);
    rf_autofd int fd = open(self->device, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, bytes, START, 0), START);
    return bytes;
}

/* The header of mkswap(8): what libblkid looks at. */
static void write_swap(const struct fixture *self)
{
    rf_autofd int fd = open(self->device, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "SWAPSPACE2", 10, 4096 - 10), 10);
    assert_int_equal(pwrite(fd, "\1\0\0\0\1\0\0", 8, 1024), 8);
}

/* Data that appeared between planning and writing is seen at the last look. */
static void late_data_is_refused(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    write_swap(&self);
    rf_error *err = NULL;
    assert_int_equal(apply(&self, &err), -1);
    assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
    assert_error_has(err, "it was not written");
    rf_autofree char *again = replan(&self);
    assert_non_null(strstr(again, "swap"));
    assert_null(self.layout);
}

static void another_disk_is_not_written(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    rf_error *err = NULL;
    self.layout->disks[0].size += 512;
    assert_int_equal(apply(&self, &err), -1);
    assert_error_has(err, "it is not there any more");
    self.layout->disks[0].size -= 512;
    free(self.layout->disks[0].serial);
    self.layout->disks[0].serial = rf_strdup("ANOTHER");
    assert_int_equal(apply(&self, &err), -1);
    assert_error_has(err, "disk 1 (serial ANOTHER");
}

static void a_used_disk_is_busy(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    rf_autofd int other = open(self.device, O_RDWR | O_EXCL | O_CLOEXEC);
    assert_true(other >= 0);
    rf_error *err = NULL;
    assert_int_equal(apply(&self, &err), -1);
    assert_error_has(err, "Device or resource busy");
}

/* What is repeated, or comes after a kill behind the write, finds its own table and leaves it alone. */
static void its_own_table_is_done(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    assert_int_equal(apply(&self, NULL), 0);
    rf_autofree char *table = read_start(&self), *again = NULL;
    assert_int_equal(probe(&self), RF_PROBE_DONE);
    assert_int_equal(apply(&self, NULL), 0);
    again = read_start(&self);
    assert_memory_equal(table, again, START);
}

/* Nothing of a disk that is refused has changed. */
static void a_refused_disk_is_not_touched(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    write_swap(&self);
    rf_autofree char *before = read_start(&self), *after = NULL;
    assert_int_equal(apply(&self, NULL), -1);
    after = read_start(&self);
    assert_memory_equal(before, after, START);
    assert_string_equal(rf_runner_dry_text(self.dry), ""); /* nobody waits for partitions */
}

/* A kill while libfdisk writes leaves the backup without what comes behind it: nobody's data, and written over. */
static void an_interrupted_table_is_no_data(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    assert_int_equal(apply(&self, NULL), 0);
    rf_autofree char *zeros = rf_alloc(START);
    rf_autofd int fd = open(self.device, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, zeros, START, 0), START);
    rf_autofree char *again = replan(&self);
    assert_non_null(self.layout);
    assert_non_null(strstr(again, "Partition disk 1"));
    assert_int_equal(apply(&self, NULL), 0);
    assert_int_equal(probe(&self), RF_PROBE_DONE);
}

/* Two disks that have nothing but their places to be known by have changed places. */
static void another_member_is_not_written(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    assert_int_equal(apply(&self, NULL), 0);
    self.layout->disks[0].member = 2;
    rf_error *err = NULL;
    assert_int_equal(apply(&self, &err), -1);
    assert_error_has(err, "is disk 1 of this node, and not disk 2; it was not written");
}

/* Behind the commit point no other table is written any more. */
static void a_marked_disk_keeps_its_table(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    assert_int_equal(apply(&self, NULL), 0);
    assert_int_equal(rf_bootable_mark(&self.layout->disks[0], NULL), 0);
    assert_int_equal(probe(&self), RF_PROBE_DONE); /* the mark alone makes it no other table */
    for (int fresh = 0; fresh <= 1; fresh++) {     /* known when it was planned, or only seen at the last look */
        self.layout->disks[0].parts[RF_PART_DATA].size -= RF_MIB;
        rf_error *err = NULL;
        assert_int_equal(probe(&self), RF_PROBE_TODO);
        assert_int_equal(apply(&self, &err), -1);
        assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
        assert_error_has(err, "has lost partitions of disk 1 of node loop-");
        free(replan(&self));
        assert_true(self.layout->disks[0].committed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_data_is_refused),
        cmocka_unit_test(another_disk_is_not_written),
        cmocka_unit_test(a_used_disk_is_busy),
        cmocka_unit_test(its_own_table_is_done),
        cmocka_unit_test(an_interrupted_table_is_no_data),
        cmocka_unit_test(another_member_is_not_written),
        cmocka_unit_test(a_refused_disk_is_not_touched),
        cmocka_unit_test(a_marked_disk_keeps_its_table),
    };
    return cmocka_run_group_tests_name("raid/step_partition", tests, NULL, NULL);
}
