/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/ident.h"
#include "raid/foreign.h"
#include "tests/unit/raid/raid.h"

static void blank_and_ours_are_not(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    struct rf_disk *disk = add_disk(machine, "vda", "S1", TB);
    assert_null(rf_foreign_findings("n1", disk, 0));
    char uuid[RF_UUID_TEXT];
    rf_uuid("n1", "disk/1", uuid);
    disk->table_uuid = rf_strdup(uuid);
    add_signature(disk, "gpt");
    assert_null(rf_foreign_findings("n1", disk, 0));
    rf_autofree char *others = rf_foreign_findings("n2", disk, 0); /* another node's disk is foreign */
    assert_non_null(others);
}

static void one_signature_is_enough(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    struct rf_disk *disk = add_disk(machine, "vda", "S1", TB);
    add_signature(disk, "ext4");
    rf_autofree char *text = rf_foreign_findings("n1", disk, 2);
    assert_string_equal(text, "\n  whole disk: ext4 file system, at byte 1080");
}

static void a_bare_holder_is_foreign(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    struct rf_disk *disk = add_disk(machine, "vda", "S1", TB);
    disk->in_use = rf_strdup("holder dm-3");
    rf_autofree char *text = rf_foreign_findings("n1", disk, 0);
    assert_string_equal(text, "\nin use: holder dm-3");
}

static void a_copy_of_a_member_is_refused(void **state)
{
    (void)state;
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    char uuid[RF_UUID_TEXT];
    rf_uuid("n1", "disk/1", uuid);
    add_disk(machine, "vda", "S1", TB)->table_uuid = rf_strdup(uuid);
    add_disk(machine, "vdb", "S2", TB)->table_uuid = rf_strdup(uuid);
    const struct rf_disk *chosen[] = {&machine->disks[0], &machine->disks[1]};
    struct rf_match match = {.chosen = chosen, .chosen_count = 2};
    rf_profile profile = {.node = {.id = "n1"}};
    rf_autoproblems rf_problems problems = {0};
    rf_foreign_check(&profile, machine, &match, &problems);
    assert_int_equal(problems.count, 1);
    assert_problem(&problems,
                   "two disks say that they are disk 1 of node n1 (serial S1 and serial S2): one is a copy, or "
                   "was replaced by the other; disconnect it");
    struct rf_volume *array = rf_array_add(&machine->volumes, &machine->volumes_count, sizeof(*array));
    *array = (struct rf_volume){.name = rf_strdup("md127"), .kind = rf_strdup("md"), .on = rf_strdup("vdb3")};
    rf_problems_clear(&problems);
    rf_foreign_check(&profile, machine, &match, &problems);
    assert_problem(&problems, "disconnect serial S1, on which nothing runs"); /* the node has gone on with the other */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blank_and_ours_are_not),
        cmocka_unit_test(one_signature_is_enough),
        cmocka_unit_test(a_bare_holder_is_foreign),
        cmocka_unit_test(a_copy_of_a_member_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
