/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members that fell out, below a directory that stands for the machine. */
#include "base/file.h"
#include "base/memory.h"
#include "installer/fallen.h"
#include "raid/match.h"
#include "tests/unit/unit.h"

static void put(const char *path, const char *text)
{
    rf_autofree char *full = rf_format("%s%s", unit_scratch(), path), *above = rf_strdup(full);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(full, text, strlen(text), 0644, NULL), 0);
}

static void name_array(const char *name, const char *device)
{
    rf_autofree char *folder = rf_format("%s/dev/md", unit_scratch()), *link = rf_format("%s/%s", folder, name);
    rf_autofree char *target = rf_format("../%s", device);
    assert_int_equal(rf_make_dirs(folder, 0755, NULL), 0);
    assert_int_equal(symlink(target, link), 0);
}

static void nobody_fell_out(void **state)
{
    (void)state;
    const rf_machine machine = {0};
    assert_null(rf_fallen_text(unit_scratch(), &machine));
    put("/sys/block/md7/md/dev-sdb4/state", "in_sync\n");
    put("/sys/block/md7/md/dev-sdc4/state", "spare\n");
    put("/sys/block/md7/md/array_state", "faulty\n");    /* no member */
    put("/sys/block/sda/md/dev-sdd4/state", "faulty\n"); /* no array */
    assert_null(rf_fallen_text(unit_scratch(), &machine));
}

static void each_that_did_is_named(void **state)
{
    (void)state;
    struct rf_disk disks[] = {{.name = (char *)"sd"},
                              {.name = (char *)"sdb", .serial = (char *)"S2"},
                              {.name = (char *)"nvme0n1", .serial = (char *)"N1"}};
    const rf_machine machine = {.disks = disks, .disks_count = RF_COUNT(disks)};
    name_array("data", "md126");
    put("/sys/block/md126/md/dev-sdb4/state", "faulty,write_error\n");
    put("/sys/block/md126/md/dev-sda4/state", "in_sync\n");
    put("/sys/block/md127/md/dev-nvme0n1p3/state", "faulty\n");
    put("/sys/block/md127/md/dev-vdz3/state", "faulty\n");
    rf_autofree char *text = rf_fallen_text(unit_scratch(), &machine);
    rf_autofree char *second = rf_disk_label(&disks[1]), *third = rf_disk_label(&disks[2]);
    rf_autofree char *wanted = rf_format(
        "array data goes on without sdb4 (%s), which failed while it was written to; replace that disk\n"
        "array md127 goes on without nvme0n1p3 (%s), which failed while it was written to; replace that disk\n"
        "array md127 goes on without vdz3, which failed while it was written to; replace that disk",
        second, third);
    assert_string_equal(text, wanted);
    assert_non_null(strstr(second, "S2"));
}

static void an_array_that_does_not_run_is_named(void **state)
{
    (void)state;
    put("/sys/block/md126/md/array_state", "inactive\n");
    put("/sys/block/md126/md/dev-sdb4/state", "in_sync\n");
    put("/sys/block/md126/md/dev-sda4/state", "in_sync\n");
    put("/sys/block/md127/md/array_state", "clean\n");
    put("/sys/block/sda/size", "1\n");
    rf_autofree char *text = rf_stopped_text(unit_scratch());
    assert_string_equal(
        text,
        "array md126 does not run: too few of its members are there (sda4, sdb4); what it holds can't be reached");
    put("/sys/block/md126/md/array_state", "active\n");
    assert_null(rf_stopped_text(unit_scratch()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_fell_out, unit_scratch_open, unit_scratch_close),
        cmocka_unit_test_setup_teardown(each_that_did_is_named, unit_scratch_open, unit_scratch_close),
        cmocka_unit_test_setup_teardown(an_array_that_does_not_run_is_named, unit_scratch_open, unit_scratch_close)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
