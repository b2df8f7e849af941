/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Partitions a sparse loop device for real, through the step, and reads it back by libblkid. As root only. */
#include "raid/bootable.h"
#include "raid/plan.h"
#include "raid/steps.h"
#include "tests/unit/raid/raid.h"

#include <errno.h>
#include <fcntl.h>

struct fixture {
    char *directory, *device, *serial;
    rf_machine *machine;
    rf_layout *layout;
    rf_runner *dry; /* udevadm alone goes through it, and there may be no udev here */
};

static char *attach(const char *file, const char *sector)
{
    rf_autorunner rf_runner *real = rf_runner_real();
    char *out = NULL;
    if (rf_run_output(real, RF_ARGV("losetup", "--find", "--show", "--sector-size", sector, file), &out, NULL) < 0)
        return NULL;
    out[strcspn(out, "\n")] = '\0';
    return out;
}

/* Why this can't run here, or NULL. */
static const char *start(struct fixture *self, const char *sector)
{
    *self = (struct fixture){.directory = unit_directory(), .dry = rf_runner_dry()};
    if (geteuid() != 0)
        return "not root";
    setenv("RICHTFEST_LOOP", "1", 1);
    self->serial = rf_format("RFTEST%d-%s", getpid(), sector);
    rf_autofree char *file = rf_format("%s/%s", self->directory, self->serial);
    rf_autofd int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, (off_t)(20 * RF_GIB)), 0);
    self->device = attach(file, sector);
    return self->device ? NULL : "no loop device to be had";
}

static void finish(struct fixture *self)
{
    rf_autorunner rf_runner *real = rf_runner_real();
    if (self->device)
        rf_run_argv(real, RF_ARGV("losetup", "--detach", self->device), NULL);
    rf_remove_tree(self->directory, NULL);
    rf_layout_free(self->layout);
    rf_machine_free(self->machine);
    rf_runner_free(self->dry);
    free(self->directory);
    free(self->device);
    free(self->serial);
}

#define FIXTURE(self, sector)                                                                                          \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    const char *lacking = start(&self, sector);                                                                        \
    if (lacking) {                                                                                                     \
        print_message("skipped: %s\n", lacking);                                                                       \
        skip();                                                                                                        \
    }

/* A new inventory and what is planned from it; the layout of an earlier call is replaced. */
static char *replan(struct fixture *self)
{
    rf_layout_free(self->layout);
    rf_machine_free(self->machine);
    self->layout = NULL;
    self->machine = NULL;
    assert_int_equal(rf_machine_probe("", &self->machine, NULL), 0);
    rf_profile profile = {.node = {.id = "loop-1"}, .storage = {.count = 1, .level = RF_LEVEL_SINGLE}};
    profile.storage.match.serial = self->serial;
    rf_autoproblems rf_problems problems = {0};
    assert_int_equal(rf_raid_plan(&profile, self->machine, &self->layout, &problems, NULL), 0);
    if (!self->layout)
        return rf_problems_text(&problems);
    rf_autoplan rf_plan *plan = rf_plan_new();
    rf_raid_steps(self->layout, self->machine, plan);
    return rf_plan_text(plan);
}

static int apply(struct fixture *self, rf_error **err)
{
    struct rf_step_env env = {.runner = self->dry};
    return rf_step_partition.apply(&env, &self->layout->disks[0], err);
}

static enum rf_probe probe(struct fixture *self)
{
    struct rf_step_env env = {.runner = self->dry};
    return rf_step_partition.probe(&env, &self->layout->disks[0], NULL);
}

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
    free(replan(&self));
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

/* Data that appeared between planning and writing is seen at the last look. */
static void late_data_is_refused(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    rf_autofd int fd = open(self.device, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "SWAPSPACE2", 10, 4096 - 10), 10);
    assert_int_equal(pwrite(fd, "\1\0\0\0\1\0\0", 8, 1024), 8);
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

/* The mark is read and set on the disk itself; behind it, no other table is written any more. */
static void a_marked_disk_keeps_its_table(void **state)
{
    FIXTURE(self, "512");
    free(replan(&self));
    assert_int_equal(apply(&self, NULL), 0);
    bool marked = true;
    assert_int_equal(rf_bootable_read(&self.layout->disks[0], &marked, NULL), 0);
    assert_false(marked);
    assert_int_equal(rf_bootable_mark(&self.layout->disks[0], NULL), 0);
    assert_int_equal(rf_bootable_read(&self.layout->disks[0], &marked, NULL), 0);
    assert_true(marked);
    assert_int_equal(probe(&self), RF_PROBE_DONE);
    for (int fresh = 0; fresh <= 1; fresh++) { /* known when it was planned, or only seen at the last look */
        self.layout->disks[0].parts[RF_PART_DATA].size -= RF_MIB;
        rf_error *err = NULL;
        assert_int_equal(probe(&self), RF_PROBE_TODO);
        assert_int_equal(apply(&self, &err), -1);
        assert_int_equal(rf_error_code(err), RF_BAD_MACHINE);
        assert_error_has(err, "has lost partitions of disk 1 of node loop-1");
        free(replan(&self));
        assert_true(self.layout->disks[0].committed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sectors_of_512),
        cmocka_unit_test(sectors_of_4096),
        cmocka_unit_test(old_signatures_are_wiped),
        cmocka_unit_test(late_data_is_refused),
        cmocka_unit_test(another_disk_is_not_written),
        cmocka_unit_test(a_used_disk_is_busy),
        cmocka_unit_test(a_marked_disk_keeps_its_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
