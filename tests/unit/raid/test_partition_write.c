/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Partitions a loop device for real, through the step, and reads it back by libblkid. */
#include "tests/unit/raid/loop.h"

static void partitions(struct fixture *self, const char *sector)
{
    rf_autofree char *before = replan(self);
    assert_non_null(strstr(before, "Partition disk 1"));
    assert_int_equal(self->layout->disks[0].logical_sector, strtoul(sector, NULL, 10));
    assert_int_equal(probe(self), RF_PROBE_TODO);
    rf_error *err = NULL;
    if (apply(self, &err) < 0) {
        rf_autofree char *why = rf_error_text(err);
        fail_msg("%s", why);
    }
    assert_int_equal(probe(self), RF_PROBE_DONE);
    assert_non_null(strstr(rf_runner_dry_text(self->dry), "udevadm wait"));
    rf_autofree char *after = replan(self);
    assert_null(strstr(after, "Partition disk"));
    assert_non_null(strstr(after, "Create array system"));
    /* the kernel has taken the table, too */
    const char *name = strrchr(self->device, '/') + 1;
    assert_int_equal(rf_sys_number("", 0, "/sys/block/%s/%sp3/start", name, name), 514 * RF_MIB / 512);
    assert_int_equal(rf_sys_number("", 0, "/sys/block/%s/%sp3/size", name, name), 10 * RF_GIB / 512);
}

static void sectors_of_512(void **state)
{
    FIXTURE(self, "512");
    partitions(&self, "512");
}

static void sectors_of_4096(void **state)
{
    FIXTURE(self, "4096");
    partitions(&self, "4096");
}

/* What lies where the new partitions begin and end must not come alive in them. */
static void old_signatures_are_wiped(void **state)
{
    FIXTURE(self, "512");
    rf_autofree char *planned = replan(&self);
    if (!self.layout)
        fail_msg("%s", planned);
    rf_autofd int fd = open(self.device, O_RDWR | O_CLOEXEC);
    uint64_t start = self.layout->disks[0].parts[RF_PART_SYSTEM].start;
    assert_int_equal(pwrite(fd, "_BHRfS_M", 8, (off_t)(start + 0x10040)), 8);
    struct rf_signature *list = NULL;
    size_t count = 0;
    assert_int_equal(rf_signatures_probe(fd, start, RF_GIB, &list, &count, NULL), 0);
    bool visible = count > 0;
    rf_signatures_free(list, count);
    assert_int_equal(apply(&self, NULL), 0);
    assert_int_equal(rf_signatures_probe(fd, start, RF_GIB, &list, &count, NULL), 0);
    rf_signatures_free(list, count);
    assert_int_equal(count, 0);
    print_message("an old superblock was %s before\n", visible ? "visible" : "not recognised");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sectors_of_512),
        cmocka_unit_test(sectors_of_4096),
        cmocka_unit_test(old_signatures_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
