/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/bootable.h"
#include "raid/layout.h"
#include "raid/plan.h"
#include "tests/unit/raid/raid.h"

static rf_layout *layout_of(const uint64_t *sizes, size_t count, rf_problems *problems)
{
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    for (size_t i = 0; i < count; i++) {
        rf_autofree char *serial = rf_format("S%zu", i);
        add_disk(machine, serial, serial, sizes[i]);
    }
    const struct rf_disk *chosen[4] = {NULL};
    for (size_t i = 0; i < count; i++)
        chosen[i] = &machine->disks[i];
    struct rf_match match = {.chosen = chosen, .chosen_count = count};
    rf_profile profile = {.node = {.id = "n1"},
                          .storage = {.count = (unsigned)count, .level = count > 1 ? RF_LEVEL_RAID1 : RF_LEVEL_SINGLE}};
    return rf_layout_new(&profile, &match, problems);
}

static void check_disk(const struct rf_layout_disk *disk)
{
    uint64_t end = RF_LAYOUT_ALIGN;
    for (enum rf_part i = 0; i < RF_PARTS; i++) {
        const struct rf_layout_part *part = &disk->parts[i];
        assert_int_equal(part->start % RF_LAYOUT_ALIGN, 0);
        assert_int_equal(part->size % RF_LAYOUT_ALIGN, 0);
        assert_true(part->size > 0);
        assert_int_equal(part->start, end); /* no gap, no overlap */
        end = part->start + part->size;
    }
    assert_true(end + RF_LAYOUT_TAIL <= disk->size);
    assert_int_equal(disk->parts[RF_PART_BIOS].size, RF_MIB);
    assert_int_equal(disk->parts[RF_PART_ESP].size, 512 * RF_MIB);
    assert_string_equal(disk->parts[RF_PART_ESP].type_uuid, RF_TYPE_ESP);
}

static void invariants(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {12 * RF_GIB,  20 * RF_GIB + 12345 * 512, 50 * RF_GIB, 64 * RF_GIB, TB, 4 * TB,
                                     22 * TB + 512};
    for (size_t i = 0; i < RF_COUNT(sizes); i++) {
        rf_autoproblems rf_problems problems = {0};
        const uint64_t pair[] = {sizes[i], sizes[i] + 7 * RF_MIB};
        rf_autolayout rf_layout *layout = layout_of(pair, 2, &problems);
        assert_non_null(layout);
        assert_int_equal(layout->disks_count, 2);
        for (size_t j = 0; j < 2; j++)
            check_disk(&layout->disks[j]);
        for (enum rf_part part = 0; part < RF_PARTS; part++) { /* members of one size, names of their own */
            assert_int_equal(layout->disks[0].parts[part].size, layout->disks[1].parts[part].size);
            assert_string_not_equal(layout->disks[0].parts[part].uuid, layout->disks[1].parts[part].uuid);
        }
        assert_int_equal(layout->filesystems_count, 4);
    }
}

static void system_size(void **state)
{
    (void)state;
    static const struct {
        uint64_t disk, system;
    } rows[] = {{12, 8}, {16, 8}, {20, 10}, {50, 25}, {63, 31}, {64, 32}, {4000, 32}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autoproblems rf_problems problems = {0};
        uint64_t size = rows[i].disk * RF_GIB;
        rf_autolayout rf_layout *layout = layout_of(&size, 1, &problems);
        assert_non_null(layout);
        assert_int_equal(layout->disks[0].parts[RF_PART_SYSTEM].size, rows[i].system * RF_GIB);
    }
}

static void too_small(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    const uint64_t sizes[] = {TB, 10 * RF_GIB};
    assert_null(layout_of(sizes, 2, &problems));
    assert_int_equal(problems.count, 1);
    assert_problem(&problems, "disk S1 (serial S1) has 10.0 GiB; 10.6 GiB are needed for system and data");
}

/* One profile on blank disks of one size. */
static rf_layout *layout_for(const rf_profile *profile, uint64_t size, unsigned logical, unsigned physical,
                             rf_problems *problems)
{
    rf_automachine rf_machine *machine = rf_alloc(sizeof(*machine));
    const struct rf_disk *chosen[RF_MEMBERS_MAX] = {NULL};
    for (unsigned i = 0; i < rf_profile_disks(profile); i++) {
        rf_autofree char *serial = rf_format("S%02u", i);
        struct rf_disk *disk = add_disk(machine, serial, serial, size + (i % 3) * 2 * RF_GIB);
        disk->logical_sector = logical;
        disk->physical_sector = physical;
    }
    for (size_t i = 0; i < machine->disks_count; i++)
        chosen[i] = &machine->disks[i];
    struct rf_match match = {.chosen = chosen, .chosen_count = machine->disks_count};
    return rf_layout_new(profile, &match, problems);
}

static void members_and_spares(void **state)
{
    (void)state;
    static const struct {
        enum rf_level level, system;
        unsigned count, spares, missing;
    } rows[] = {{RF_LEVEL_SINGLE, RF_LEVEL_SINGLE, 1, 0, 0}, {RF_LEVEL_RAID1, RF_LEVEL_RAID1, 8, 8, 0},
                {RF_LEVEL_RAID1, RF_LEVEL_RAID1, 2, 0, 1},   {RF_LEVEL_RAID5, RF_LEVEL_RAID1, 3, 1, 0},
                {RF_LEVEL_RAID6, RF_LEVEL_RAID1, 6, 0, 2},   {RF_LEVEL_RAID10, RF_LEVEL_RAID1, 5, 2, 0}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autoproblems rf_problems problems = {0};
        const rf_profile profile = {
            .node = {.id = "n1"},
            .storage = {
                .level = rows[i].level, .count = rows[i].count, .spares = rows[i].spares, .missing = rows[i].missing}};
        rf_autolayout rf_layout *layout = layout_for(&profile, TB, 512, 512, &problems);
        assert_non_null(layout);
        assert_int_equal(layout->system.level,
                         rows[i].system); /* mirrored on all members, whatever the data's level is */
        assert_int_equal(layout->data.level, rows[i].level);
        const struct rf_layout_array *arrays[] = {&layout->system, &layout->data};
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(arrays[j]->raid_disks, rows[i].count);
            assert_int_equal(arrays[j]->members_count, layout->disks_count);
            assert_int_equal(rf_array_spares(arrays[j]), rows[i].spares);
            assert_int_equal(rf_array_missing(arrays[j]), rows[i].missing);
        }
        for (size_t j = 0; j < layout->disks_count; j++)
            check_disk(&layout->disks[j]); /* a spare carries what the others carry */
    }
}

static void what_stays_unused_is_known(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    const uint64_t sizes[] = {TB, TB + 5 * RF_GIB, TB + 100 * RF_MIB};
    rf_autolayout rf_layout *layout = layout_of(sizes, 3, &problems);
    assert_true(layout->disks[0].unused < RF_MIB);
    assert_true(layout->disks[1].unused >= 5 * RF_GIB && layout->disks[1].unused < 5 * RF_GIB + RF_MIB);
    rf_autofree char *text = rf_layout_text(layout);
    assert_non_null(strstr(text, "\n  unused: 5120 MiB\ndisk 3:"));
    assert_null(strstr(strstr(text, "disk 3:"), "unused")); /* 100 MiB are what makers differ by */
}

static void sectors(void **state)
{
    (void)state;
    static const struct {
        unsigned logical, physical, taken; /* 0: refused */
    } rows[] = {{512, 512, 512},      {512, 4096, 4096}, {4096, 4096, 4096}, {512, 0, 512},
                {512, 33553920, 512}, {4096, 512, 4096}, {520, 520, 0},      {0, 0, 0}};
    const rf_profile profile = {.node = {.id = "n1"}, .storage = {.level = RF_LEVEL_RAID1, .count = 2}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autoproblems rf_problems problems = {0};
        rf_autolayout rf_layout *layout = layout_for(&profile, TB, rows[i].logical, rows[i].physical, &problems);
        assert_int_equal(layout == NULL, rows[i].taken == 0);
        if (layout)
            assert_int_equal(layout->disks[0].physical_sector, rows[i].taken);
        else
            assert_problem(&problems, "bytes, which nothing can be aligned to");
    }
}

static void names_derive_from_the_node(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    const uint64_t sizes[] = {TB, TB};
    rf_autolayout rf_layout *one = layout_of(sizes, 2, &problems);
    rf_autolayout rf_layout *two = layout_of(sizes, 2, &problems);
    rf_autofree char *first = rf_layout_text(one);
    rf_autofree char *second = rf_layout_text(two);
    assert_string_equal(first, second);
    assert_non_null(rf_layout_filesystem(one, "system"));
    assert_non_null(rf_layout_filesystem(one, "images"));
    assert_non_null(rf_layout_filesystem(one, "esp-2"));
    assert_null(rf_layout_filesystem(one, "esp-3"));
    assert_int_equal(strlen(rf_layout_filesystem(one, "esp-1")->uuid), 9);
    assert_true(strlen(rf_layout_filesystem(one, "images")->label) <= 12); /* XFS */
    assert_true(strlen(rf_layout_filesystem(one, "esp-1")->label) <= 11);  /* FAT */
}

/* Which disks boot decides what is never made anew: of a disk its own parts, of the node what all disks hold together. */
static void what_a_marked_disk_holds_is_kept(void **state)
{
    (void)state;
    for (unsigned marks = 0; marks < 4; marks++) {
        const bool first = marks & 1, second = marks & 2;
        rf_automachine rf_machine *machine = recorded_machine("installed-node");
        rf_autoprofile rf_profile *profile = profile_for("installed-node");
        rf_autoproblems rf_problems problems = {0};
        rf_autolayout rf_layout *layout = NULL;
        machine->disks[0].partitions[0].attributes = first ? RF_ATTRIBUTE_BOOTABLE | 1 : 1;
        machine->disks[1].partitions[0].attributes = second ? RF_ATTRIBUTE_BOOTABLE : 0;
        assert_int_equal(rf_raid_plan(profile, machine, &layout, &problems, NULL), 0);
        assert_int_equal(layout->disks[0].committed, first);
        assert_int_equal(layout->system.committed[0], first);
        assert_int_equal(layout->data.committed[1], second);
        assert_int_equal(rf_layout_filesystem(layout, "esp-1")->committed, first);
        assert_int_equal(rf_layout_filesystem(layout, "esp-2")->committed, second);
        assert_int_equal(rf_layout_filesystem(layout, "system")->committed, first || second);
        assert_int_equal(rf_layout_filesystem(layout, "images")->committed, first || second);
        assert_int_equal(layout->images.committed, first || second);
        assert_false(rf_disk_committed("another-node", &machine->disks[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invariants),
        cmocka_unit_test(system_size),
        cmocka_unit_test(too_small),
        cmocka_unit_test(members_and_spares),
        cmocka_unit_test(what_stays_unused_is_known),
        cmocka_unit_test(sectors),
        cmocka_unit_test(names_derive_from_the_node),
        cmocka_unit_test(what_a_marked_disk_holds_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
