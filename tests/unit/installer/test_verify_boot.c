/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The looking itself needs md and vfat: tests/lab/test_bios_node.py does it on a node. */
#include "base/json.h"
#include "installer/verify_boot.h"
#include "tests/unit/unit.h"

static void the_table_names_what_is_wrong(void **state)
{
    (void)state;
    rf_autojson json_t *disks =
        json_pack("[{s:i,s:s,s:s,s:b,s:b,s:[]},{s:i,s:s,s:s,s:b,s:b,s:[s,s]},{s:i,s:s,s:s,s:b,s:b,s:[]}]", "member", 1,
                  "name", "sda", "identity", "serial S1", "boots", 1, "mended", 0, "wrong", "member", 2, "name", "sdb",
                  "identity", "serial S2", "boots", 0, "mended", 0, "wrong", "/EFI/BOOT/BOOTX64.EFI is not there",
                  "its part of array system is not in step with the others (spare)", "member", 3, "name", "sdc",
                  "identity", "serial S3", "boots", 1, "mended", 1, "wrong");
    rf_autofree char *text = rf_verify_boot_text(disks);
    assert_string_equal(text,
                        "DISK  NAME       IDENTITY                     BOOTS ALONE\n"
                        "1     sda        serial S1                    yes\n"
                        "2     sdb        serial S2                    no\n"
                        "      /EFI/BOOT/BOOTX64.EFI is not there\n"
                        "      its part of array system is not in step with the others (spare)\n"
                        "3     sdc        serial S3                    yes: its boot loaders were written anew\n");
}

static void one_that_does_not_boot_counts(void **state)
{
    (void)state;
    rf_autojson json_t *good = json_pack("[{s:b},{s:b}]", "boots", 1, "boots", 1),
                       *bad = json_pack("[{s:b},{s:b}]", "boots", 1, "boots", 0);
    assert_true(rf_verify_boot_all(good));
    assert_false(rf_verify_boot_all(bad));
}

/* The recorded disks are not in this machine: none can be opened, and each is in the list with that. */
static void a_disk_that_cannot_be_read_keeps_no_other(void **state)
{
    (void)state;
    json_t *disks = NULL;
    rf_automachine rf_machine *machine = NULL;
    assert_int_equal(rf_machine_load("tests/machines/installed-node.json", &machine, NULL), 0);
    const rf_profile profile = {.node = {.id = (char *)"musterkunde-n1"},
                                .storage = {.count = 2, .level = RF_LEVEL_RAID1}};
    rf_autorunner rf_runner *runner = rf_runner_dry();
    struct rf_step_env env = {.runner = runner};
    assert_int_equal(rf_verify_boot(&env, &profile, machine, false, &disks, NULL), 0);
    assert_int_equal(json_array_size(disks), 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(json_array_size(json_object_get(json_array_get(disks, i), "wrong")) > 0);
    assert_false(rf_verify_boot_all(disks));
    json_decref(disks);
}

static void a_machine_without_this_node_is_said(void **state)
{
    (void)state;
    rf_error *error = NULL;
    json_t *disks = NULL;
    rf_automachine rf_machine *machine = calloc(1, sizeof(*machine));
    const rf_profile profile = {.node = {.id = "n1"}, .storage = {.count = 2, .level = RF_LEVEL_RAID1}};
    struct rf_step_env env = {0};
    assert_int_equal(rf_verify_boot(&env, &profile, machine, true, &disks, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_null(disks);
    rf_error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_names_what_is_wrong),
        cmocka_unit_test(one_that_does_not_boot_counts),
        cmocka_unit_test(a_disk_that_cannot_be_read_keeps_no_other),
        cmocka_unit_test(a_machine_without_this_node_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
