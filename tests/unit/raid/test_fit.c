/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/fit.h"
#include "tests/unit/raid/raid.h"

static void all_at_once(void **state)
{
    (void)state;
    rf_machine machine = {.cores = 2, .memory = 8 * RF_GIB, .memory_source = "dmi", .kvm_reason = "no svm"};
    rf_profile profile = {.requires = {.cores = 6, .memory = 24000000000, .storage = 4 * TB, .kvm = true},
                          .storage = {.count = 2, .level = RF_LEVEL_RAID1}};
    const struct rf_disk disk = {.size = 2 * TB};
    const struct rf_disk *chosen[] = {&disk, &disk};
    struct rf_match match = {.chosen = chosen, .chosen_count = 2};
    rf_autoproblems rf_problems problems = {0};
    rf_fit_check(&profile, &machine, &match, &problems);
    assert_int_equal(problems.count, 4);
    assert_problem(&problems, "requires.cores: this machine has 2; the profile asks for 6");
    assert_problem(&problems, "requires.memory: this machine has 8.59 GB; the profile asks for 24.0 GB");
    assert_problem(&problems, "requires.kvm: this machine has no KVM: no svm");
    assert_problem(&problems,
                   "requires.storage: level raid1 on the matching disks gives 2.00 TB; the profile asks for 4.00 TB");
}

static bool memory_fits(uint64_t memory, const char *source, uint64_t asked)
{
    rf_machine machine = {.memory = memory, .memory_source = (char *)source};
    rf_profile profile = {.requires = {.memory = asked}, .storage = {.count = 1, .level = RF_LEVEL_SINGLE}};
    struct rf_match match = {0};
    rf_autoproblems rf_problems problems = {0};
    rf_fit_check(&profile, &machine, &match, &problems);
    return problems.count == 0;
}

/* A machine that is sold as 24 GB has 24 GiB or 24 GB, and its kernel shows less than either. */
static void memory_tolerance(void **state)
{
    (void)state;
    assert_true(memory_fits(24 * RF_GIB, "dmi", 24000000000));
    assert_true(memory_fits(24 * RF_GIB, "dmi", 24 * RF_GIB));
    assert_false(memory_fits(24 * RF_GIB - 1, "dmi", 24 * RF_GIB));
    assert_true(memory_fits(24 * RF_GIB / 100 * 95, "meminfo", 24 * RF_GIB));
    assert_true(memory_fits(24000000000 / 100 * 95, "meminfo", 24000000000));
    assert_false(memory_fits(24 * RF_GIB / 100 * 93, "meminfo", 24 * RF_GIB));
    assert_false(memory_fits(16 * RF_GIB, "blocks", 24000000000));
    assert_true(memory_fits(RF_GIB, "meminfo", 0));
}

static void storage_is_the_smallest_disk(void **state)
{
    (void)state;
    const struct rf_disk small = {.size = 4 * TB - 1}, large = {.size = 8 * TB};
    const struct rf_disk *chosen[] = {&large, &small};
    struct rf_match match = {.chosen = chosen, .chosen_count = 2};
    rf_profile profile = {.storage = {.count = 2, .level = RF_LEVEL_RAID1}};
    assert_int_equal(rf_fit_storage(&profile, &match), 4 * TB - 1);
    match.chosen_count = 1;
    profile.storage.level = RF_LEVEL_SINGLE;
    profile.storage.count = 1;
    assert_int_equal(rf_fit_storage(&profile, &match), 8 * TB);
}

static void storage_by_level(void **state)
{
    (void)state;
    static const struct {
        enum rf_level level;
        unsigned count, spares, missing;
        uint64_t room;
    } rows[] = {{RF_LEVEL_RAID1, 3, 1, 0, TB},         {RF_LEVEL_RAID5, 3, 0, 0, 2 * TB},
                {RF_LEVEL_RAID5, 4, 2, 0, 3 * TB},     {RF_LEVEL_RAID6, 4, 0, 1, 2 * TB},
                {RF_LEVEL_RAID6, 8, 0, 0, 6 * TB},     {RF_LEVEL_RAID10, 4, 0, 0, 2 * TB},
                {RF_LEVEL_RAID10, 5, 0, 1, 5 * TB / 2}};
    const struct rf_disk disk = {.size = TB};
    const struct rf_disk *chosen[16];
    for (size_t i = 0; i < RF_COUNT(chosen); i++)
        chosen[i] = &disk;
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_profile profile = {
            .storage = {
                .level = rows[i].level, .count = rows[i].count, .spares = rows[i].spares, .missing = rows[i].missing}};
        struct rf_match match = {.chosen = chosen, .chosen_count = rf_profile_disks(&profile)};
        assert_int_equal(rf_fit_storage(&profile, &match), rows[i].room);
    }
}

static void level_and_count(void **state)
{
    (void)state;
    static const struct {
        enum rf_level level;
        unsigned count;
        const char *said;
    } rows[] = {{RF_LEVEL_RAID1, 1, "level raid1 needs at least 2 disks; the profile asks for 1"},
                {RF_LEVEL_SINGLE, 2, "level single takes at most 1 disk; the profile asks for 2"},
                {RF_LEVEL_RAID1, 9, "level raid1 takes at most 8 disks"},
                {RF_LEVEL_RAID5, 2, "level raid5 needs at least 3 disks"},
                {RF_LEVEL_RAID6, 0, "level raid6 needs at least 4 disks; the profile asks for 0"}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_machine machine = {0};
        rf_profile profile = {.storage = {.count = rows[i].count, .level = rows[i].level}};
        struct rf_match match = {0};
        rf_autoproblems rf_problems problems = {0};
        rf_fit_check(&profile, &machine, &match, &problems);
        assert_int_equal(problems.count, 1);
        assert_problem(&problems, rows[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(memory_tolerance),
        cmocka_unit_test(storage_is_the_smallest_disk),
        cmocka_unit_test(storage_by_level),
        cmocka_unit_test(level_and_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
