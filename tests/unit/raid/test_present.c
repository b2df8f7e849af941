/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/ident.h"
#include "raid/present.h"
#include "tests/unit/raid/raid.h"

static const rf_profile profile = {.node = {.id = "n1"}, .storage = {.count = 2, .level = RF_LEVEL_RAID1}};

/* A disk that says that it is member n of node n1. */
static void add_member(rf_machine *machine, const char *name, unsigned member)
{
    char uuid[RF_UUID_TEXT];
    rf_autofree char *what = rf_format("disk/%u", member);
    add_disk(machine, name, name, TB);
    rf_uuid("n1", what, uuid);
    machine->disks[machine->disks_count - 1].table_uuid = rf_strdup(uuid);
}

static void what_is_missing_is_left_out(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    add_disk(machine, "blank", "blank", TB);
    add_member(machine, "second", 2);
    rf_autolayout rf_layout *layout = rf_layout_present(&profile, machine, &problems);
    assert_non_null(layout);
    assert_int_equal(layout->disks_count, 1);
    assert_int_equal(layout->disks[0].member, 2);
    assert_string_equal(layout->disks[0].serial, "second");
}

static void nothing_of_the_node_is_no_layout(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    add_disk(machine, "blank", "blank", TB);
    assert_null(rf_layout_present(&profile, machine, &problems));
    assert_int_equal(problems.count, 0);
}

static void two_copies_of_one_disk_are_a_problem(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    add_member(machine, "sda", 1);
    add_member(machine, "sdb", 1);
    assert_null(rf_layout_present(&profile, machine, &problems));
    rf_autofree char *text = rf_problems_text(&problems);
    assert_non_null(strstr(text, "sda and sdb both say that they are disk 1 of node n1: disconnect one"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_left_out),
        cmocka_unit_test(nothing_of_the_node_is_no_layout),
        cmocka_unit_test(two_copies_of_one_disk_are_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
