/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "base/memory.h"
#include "installer/disk_errors.h"
#include "raid/match.h"
#include "tests/unit/unit.h"

static const char kmsg[] =
    "6,1,90000000,-;I/O error, dev sda, sector 1 op 0x0:(READ) flags 0x0\n"
    "3,2,100000000,-;I/O error, dev sdaa, sector 1 op 0x0:(READ) flags 0x0\n SUBSYSTEM=block\n"
    "3,3,100000001,-;critical medium error, dev sdb, sector 8\n"
    "3,4,110000000,-;I/O error, dev sda, sector 1 op 0x0:(READ) flags 0x0\n SUBSYSTEM=block\n DEVICE=b8:0\n"
    "3,5,110000001,-;Buffer I/O error on dev sda, logical block 0, async page read\n"
    "3,6,120000000,-;I/O error, dev sda, sector 2 op 0x1:(WRITE) flags 0x0\n"
    "3,7,120000000,-;I/O error, dev sr0, sector 2 op 0x0:(READ) flags 0x0\n";

static char *text_of(const char *log, double since)
{
    struct rf_disk disks[] = {{.name = (char *)"sda", .serial = (char *)"S1"},
                              {.name = (char *)"sdb", .serial = (char *)"S2"}};
    const rf_machine machine = {.disks = disks, .disks_count = RF_COUNT(disks)};
    rf_autofree char *path = rf_format("%s/kmsg", unit_scratch());
    assert_int_equal(rf_write_file(path, log, strlen(log), 0600, NULL), 0);
    return rf_disk_errors_text(path, since, &machine);
}

static void errors_of_this_run_and_of_the_machines_disks_count(void **state)
{
    (void)state;
    rf_autofree char *text = text_of(kmsg, 100);
    assert_string_equal(text, "the kernel reports 2 I/O errors of disk sda (serial S1); replace it if that goes on");
    rf_autofree char *last = text_of(kmsg, 115);
    assert_string_equal(last, "the kernel reports 1 I/O error of disk sda (serial S1); replace it if that goes on");
}

static void nothing_is_said_of_a_quiet_log(void **state)
{
    (void)state;
    const rf_machine machine = {0};
    assert_null(text_of("6,1,100000000,-;sda: sda1 sda2\n", 0));
    assert_null(text_of("I/O error, dev sda, and no record\n", 0));
    assert_null(text_of(kmsg, 130));
    assert_null(rf_disk_errors_text("/nonexistent", 0, &machine));
    rf_autofree char *real = rf_disk_errors_text(RF_KERNEL_LOG, 0, &machine); /* does not wait for more */
    assert_null(real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(errors_of_this_run_and_of_the_machines_disks_count),
                                       cmocka_unit_test(nothing_is_said_of_a_quiet_log)};
    return cmocka_run_group_tests(tests, unit_scratch_open, unit_scratch_close);
}
