/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/disks.h"
#include "tests/unit/unit.h"

static rf_machine *installed(void)
{
    rf_machine *machine = NULL;
    assert_int_equal(rf_machine_load("tests/machines/installed-node.json", &machine, NULL), 0);
    return machine;
}

/* "member boots why" of every disk, and whether that is healthy. */
static void assert_disks(const rf_machine *machine, unsigned count, bool healthy, const char *expected)
{
    rf_profile profile = {.node = {.id = "musterkunde-n1"}, .storage = {.count = count}};
    rf_autojson json_t *disks = rf_disks_json(&profile, machine, NULL);
    rf_autofree char *all = rf_strdup("");
    for (size_t i = 0; i < json_array_size(disks); i++) {
        const json_t *disk = json_array_get(disks, i);
        const char *why = rf_json_string(disk, "why");
        rf_append(&all, "%d %s %s;", (int)rf_json_integer(disk, "member", 0),
                  json_is_true(json_object_get(disk, "boots")) ? "yes" : "no", why ? why : "-");
    }
    assert_string_equal(all, expected);
    assert_int_equal(rf_disks_boot(disks), healthy);
}

static void each_disk_of_a_finished_node_boots(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = installed();
    assert_disks(machine, 2, true, "1 yes -;2 yes -;");
    rf_profile profile = {.node = {.id = "musterkunde-n1"}, .storage = {.count = 2}};
    rf_autojson json_t *disks = rf_disks_json(&profile, machine, NULL);
    rf_autofree char *text = rf_disks_text(disks);
    assert_string_equal(text, "DISK  NAME       IDENTITY                     BOOTS ALONE\n"
                              "1     vda        serial RF-DISK-1             yes\n"
                              "2     vdb        serial RF-DISK-2             yes\n");
}

/* A power cut between the loaders of the first disk and those of the second. */
static void a_disk_without_loaders(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = installed();
    machine->disks[1].partitions[0].attributes = 0;
    assert_disks(machine, 2, false,
                 "1 yes -;2 no its boot loaders were not finished; `richtfest apply --node` writes them;");
}

static void a_disk_that_lost_something(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = installed();
    free(machine->disks[0].partitions[1].signatures[0].type);
    machine->disks[0].partitions[1].signatures[0].type = rf_strdup("swap");
    free(machine->disks[1].partitions[2].signatures[0].type);
    machine->disks[1].partitions[2].signatures[0].type = rf_strdup("ext4");
    assert_disks(machine, 2, false,
                 "1 no its ESP holds no FAT file system;2 no its part of the system array is missing;");
}

static void a_disk_that_is_not_there(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = installed();
    free(machine->disks[0].table_uuid);
    machine->disks[0].table_uuid = NULL;
    assert_disks(machine, 2, false, "1 no it is not there, or its partition table can't be read;2 yes -;");
    rf_profile profile = {.node = {.id = "musterkunde-n1"}, .storage = {.count = 2}};
    rf_autojson json_t *disks = rf_disks_json(&profile, machine, NULL);
    rf_autofree char *text = rf_disks_text(disks);
    assert_non_null(strstr(text, "\n1     -          -                            no: it is not there"));
}

static void a_spare_need_not_boot(void **state)
{
    (void)state;
    static const struct {
        const char *array, *spare;
        bool boots;
    } rows[] = {{"system", "vdb3", false},
                {"data", "vdb4", true}, /* it took a place in one array, and that is the one that boots */
                {"system", "vdbc3", true},
                {"system", "vda3", true}};
    rf_automachine rf_machine *machine = installed();
    rf_profile profile = {.node = {.id = "musterkunde-n1"}, .storage = {.count = 1, .spares = 1}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autojson json_t *arrays = json_pack("[{s:s,s:[s]}]", "name", rows[i].array, "spares", rows[i].spare);
        rf_autojson json_t *disks = rf_disks_json(&profile, machine, arrays);
        const json_t *disk = json_array_get(disks, 1);
        assert_int_equal(json_is_true(json_object_get(disk, "boots")), rows[i].boots);
        assert_true(rf_disks_boot(disks));
    }
    machine->disks[1].partitions[0].attributes = 0; /* without loaders it is no good spare */
    rf_autojson json_t *arrays = json_pack("[{s:s,s:[s]}]", "name", "system", "spares", "vdb3");
    rf_autojson json_t *disks = rf_disks_json(&profile, machine, arrays);
    assert_false(rf_disks_boot(disks));
}

/* It has loaders, and its part of the array: but what is on it is old, or only half there. */
static void a_copy_that_is_none(void **state)
{
    (void)state;
    rf_machine *machine = NULL;
    assert_int_equal(rf_machine_load("tests/machines/node-member-returns.json", &machine, NULL), 0);
    assert_disks(machine, 2, false, "1 no it was out, and the system on it is an old one;2 yes -;");
    rf_machine_free(machine);
    machine = installed();
    rf_profile profile = {.node = {.id = "musterkunde-n1"}, .storage = {.count = 2, .level = RF_LEVEL_RAID1}};
    rf_autojson json_t *arrays = json_pack("[{s:s,s:[s]}]", "name", "system", "onto", "vda3");
    rf_autojson json_t *disks = rf_disks_json(&profile, machine, arrays);
    assert_string_equal(rf_json_string(json_array_get(disks, 0), "why"),
                        "its part of the system is still being filled");
    assert_null(rf_json_string(json_array_get(disks, 1), "why"));
    assert_false(rf_disks_boot(disks));
    rf_machine_free(machine);
}

/* Another node's disks are none of ours. */
static void strangers_are_not_listed(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = installed();
    rf_profile profile = {.node = {.id = "another"}};
    rf_autojson json_t *disks = rf_disks_json(&profile, machine, NULL);
    assert_int_equal(json_array_size(disks), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_disk_of_a_finished_node_boots),
        cmocka_unit_test(a_disk_without_loaders),
        cmocka_unit_test(a_disk_that_lost_something),
        cmocka_unit_test(a_disk_that_is_not_there),
        cmocka_unit_test(a_spare_need_not_boot),
        cmocka_unit_test(a_copy_that_is_none),
        cmocka_unit_test(strangers_are_not_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
