/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What holds of every plan, whatever the machine: on generated inventories of up to 14 disks. The seed is printed; RF_SEED=N runs one
 * again, RF_CASES=N more or fewer of them.
 */
#include "tests/unit/raid/finished.h"

#include <inttypes.h>
#include <sys/random.h>

/* One case in AGAIN is planned again, and one is carried out and planned again: each of them costs as much as two others. */
enum { CASES = 100000, DISKS_MAX = 14, AGAIN = 8 };

/* Vigna's splitmix64: the whole case follows from one number. */
struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(struct dice *dice, unsigned bound)
{
    return (unsigned)(roll(dice) % bound);
}

static bool one_in(struct dice *dice, unsigned bound)
{
    return below(dice, bound) == 0;
}

static rf_profile make_profile(struct dice *dice)
{
    rf_profile profile = {.node = {.id = "n1"}};
    profile.storage.level = below(dice, 5);
    const struct rf_level_limits *limits = rf_level_limits(profile.storage.level);
    profile.storage.count = limits->disks_min + below(dice, 1 + below(dice, limits->disks_max - limits->disks_min + 1));
    profile.storage.layout = profile.storage.level == RF_LEVEL_RAID10 ? below(dice, 2) : RF_COPIES_NEAR;
    if (limits->copes && one_in(dice, 3))
        profile.storage.spares = below(dice, 4);
    else if (limits->copes && one_in(dice, 3))
        profile.storage.missing = below(dice, rf_level_copes(profile.storage.level, profile.storage.count) + 1);
    if (one_in(dice, 3))
        profile.storage.match.size.min = (uint64_t)below(dice, 60) * RF_GIB;
    if (one_in(dice, 5))
        profile.storage.match.size.max = 40 * RF_GIB + (uint64_t)below(dice, 40) * TB;
    return profile;
}

static uint64_t make_size(struct dice *dice, uint64_t usual)
{
    if (!one_in(dice, 4))
        return usual;
    uint64_t size = one_in(dice, 3) ? below(dice, 100) * RF_GIB : below(dice, 24) * TB;
    return size + (uint64_t)below(dice, 1U << 20) * 4096;
}

static void make_sectors(struct dice *dice, struct rf_disk *disk)
{
    static const unsigned kinds[][2] = {{512, 512}, {512, 4096}, {4096, 4096}, {512, 0}, {512, 33553920}, {520, 520}};
    unsigned kind = below(dice, one_in(dice, 40) ? 6 : 5);
    disk->logical_sector = kinds[kind][0];
    disk->physical_sector = kinds[kind][1];
}

/* What keeps a disk from being taken, now and then. */
static void make_trouble(struct dice *dice, struct rf_disk *disk)
{
    if (one_in(dice, 40))
        add_signature(disk, "ext4");
    if (one_in(dice, 40))
        disk->in_use = rf_strdup(one_in(dice, 2) ? "install medium" : "mounted at /data");
    disk->read_only = one_in(dice, 60);
    disk->removable = one_in(dice, 60);
    if (one_in(dice, 60)) {
        free(disk->serial);
        disk->serial = NULL;
    }
}

static rf_machine *make_machine(struct dice *dice, const rf_profile *profile)
{
    rf_machine *machine = rf_alloc(sizeof(*machine));
    uint64_t usual = 12 * RF_GIB + below(dice, 200) * 100 * RF_GIB + (uint64_t)below(dice, 4096) * 4096;
    size_t count = one_in(dice, 8) ? below(dice, DISKS_MAX) : rf_profile_disks(profile) + one_in(dice, 10);
    for (size_t i = 0; i < count; i++) {
        rf_autofree char *name = rf_format("sd%c", (char)('a' + i)), *serial = rf_format("S%08x", (unsigned)roll(dice));
        struct rf_disk *disk = add_disk(machine, name, serial, make_size(dice, usual));
        make_sectors(dice, disk);
        make_trouble(dice, disk);
    }
    return machine;
}

static void shuffle(struct dice *dice, rf_machine *machine)
{
    for (size_t i = machine->disks_count; i > 1; i--) {
        size_t other = below(dice, (unsigned)i);
        struct rf_disk swap = machine->disks[i - 1];
        machine->disks[i - 1] = machine->disks[other];
        machine->disks[other] = swap;
    }
}

/* The chosen disk is one that may be taken. */
static void check_choice(const rf_profile *profile, rf_machine *machine, const struct rf_layout_disk *disk)
{
    const struct rf_disk *is = machine_disk(machine, disk);
    assert_non_null(is);
    assert_true(is->size == disk->size && is->logical_sector == disk->logical_sector);
    assert_false(is->read_only || is->removable);
    if (!is->table_uuid)
        assert_true(!is->in_use && is->signatures_count == 0);
    assert_true(is->size >= profile->storage.match.size.min);
    assert_true(!profile->storage.match.size.max || is->size <= profile->storage.match.size.max);
}

static void check_parts(const rf_layout *layout, const struct rf_layout_disk *disk)
{
    uint64_t end = RF_LAYOUT_ALIGN, sum = 0; /* the table lies before it, and another one behind the last */
    for (enum rf_part i = 0; i < RF_PARTS; i++) {
        const struct rf_layout_part *part = &disk->parts[i];
        assert_true(part->start >= end && part->size > 0);
        assert_true(part->start % RF_LAYOUT_ALIGN == 0 && part->size % RF_LAYOUT_ALIGN == 0);
        assert_true(part->start % disk->logical_sector == 0 && part->size % disk->logical_sector == 0);
        assert_true(part->start % disk->physical_sector == 0);
        assert_true(part->size == layout->disks[0].parts[i].size);
        end = part->start + part->size;
        sum += part->size;
    }
    assert_true(end <= disk->size && sum <= disk->size - RF_LAYOUT_ALIGN);
    assert_true(disk->size - end >= 34 * disk->logical_sector); /* UEFI 2.10, 5.3.1: entries and header */
    assert_true(disk->parts[RF_PART_ESP].size == RF_LAYOUT_ESP);
    rf_autofree char *id = rf_format("esp-%u", disk->member);
    const struct rf_layout_filesystem *esp = rf_layout_filesystem(layout, id);
    assert_non_null(esp);
    assert_string_equal(esp->device, disk->parts[RF_PART_ESP].device);
}

static void check_array(const rf_profile *profile, const rf_layout *layout, const struct rf_layout_array *array,
                        enum rf_part part)
{
    assert_int_equal(array->raid_disks, profile->storage.count);
    assert_int_equal(array->members_count, layout->disks_count);
    assert_int_equal(rf_array_spares(array), profile->storage.spares);
    assert_int_equal(rf_array_missing(array), profile->storage.missing);
    for (size_t i = 0; i < array->members_count; i++)
        assert_string_equal(array->members[i], layout->disks[i].parts[part].device);
}

static void check_layout(const rf_profile *profile, rf_machine *machine, const rf_layout *layout)
{
    assert_int_equal(layout->disks_count, rf_profile_disks(profile));
    for (size_t i = 0; i < layout->disks_count; i++) {
        assert_true(i == 0 || layout->disks[i].member > layout->disks[i - 1].member);
        check_choice(profile, machine, &layout->disks[i]);
        check_parts(layout, &layout->disks[i]);
    }
    check_array(profile, layout, &layout->system, RF_PART_SYSTEM);
    check_array(profile, layout, &layout->data, RF_PART_DATA);
}

/* No step touches anything but what is in the layout, and so no disk that was not chosen. */
static void check_steps(const rf_layout *layout, const rf_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const char *arg = plan->steps[i].arg;
        bool inside = arg >= (const char *)layout && arg < (const char *)(layout + 1);
        inside |= arg >= (const char *)layout->disks && arg < (const char *)(layout->disks + layout->disks_count);
        inside |= arg >= (const char *)layout->filesystems &&
                  arg < (const char *)(layout->filesystems + layout->filesystems_count);
        assert_true(inside);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(plan->steps[i].id, plan->steps[j].id);
    }
}

struct outcome {
    rf_layout *layout;
    rf_plan *plan;
    char *text; /* layout and plan, or the problems */
};

static void outcome_clear(struct outcome *outcome)
{
    rf_plan_free(outcome->plan);
    rf_layout_free(outcome->layout);
    free(outcome->text);
}
#define autooutcome RF_CLEANUP(outcome_clear) struct outcome

static void plan_it(const rf_profile *profile, const rf_machine *machine, struct outcome *ret)
{
    rf_autoproblems rf_problems problems = {0};
    *ret = (struct outcome){.plan = rf_plan_new()};
    assert_int_equal(rf_raid_plan(profile, machine, &ret->layout, &problems, NULL), 0);
    assert_int_equal(ret->layout == NULL, problems.count > 0); /* never both, never neither */
    if (!ret->layout) {
        ret->text = rf_problems_text(&problems);
        return;
    }
    rf_raid_steps(ret->layout, machine, ret->plan);
    rf_autofree char *layout = rf_layout_text(ret->layout), *plan = rf_plan_text(ret->plan);
    ret->text = rf_format("%s%s", layout, plan);
}

/* Carried out, nothing is left to do. */
static void check_finished(struct dice *dice, const rf_profile *profile, rf_machine *machine, const rf_layout *layout)
{
    finish_machine(machine, layout);
    shuffle(dice, machine);
    autooutcome after;
    plan_it(profile, machine, &after);
    assert_non_null(after.layout);
    assert_int_equal(rf_plan_todo(after.plan, RF_PHASE_INSTALL) + rf_plan_todo(after.plan, RF_PHASE_NODE), 0);
}

static void attach_by(struct rf_disk *disk, const char *transport)
{
    free(disk->transport);
    disk->transport = rf_strdup(transport);
}

/* A blank disk that the profile means beside (or in the place of) the node's own, and no other. */
static void put_new_disk(rf_profile *profile, rf_machine *machine, const rf_layout *layout)
{
    profile->storage.match = (struct rf_disk_match){.transport = (char *)"nvme"};
    for (size_t i = 0; i < layout->disks_count; i++) {
        struct rf_disk *old = machine_disk(machine, &layout->disks[i]);
        if (old)
            attach_by(old, "nvme");
    }
    attach_by(add_disk(machine, "nvme0n1", "NEW", 32 * TB), "nvme");
}

/* Only the new disk is partitioned, and it takes no other's number. */
static void check_new_disk(const struct outcome *outcome)
{
    assert_non_null(outcome->layout);
    unsigned partitioned = 0;
    for (size_t i = 0; i < outcome->plan->count; i++) {
        const struct rf_step *step = &outcome->plan->steps[i];
        if (step->ops != &rf_step_partition || step->done)
            continue;
        assert_string_equal(((const struct rf_layout_disk *)step->arg)->serial, "NEW");
        partitioned++;
    }
    assert_int_equal(partitioned, 1);
    check_steps(outcome->layout, outcome->plan);
    for (size_t i = 0; i < outcome->layout->disks_count; i++)
        check_parts(outcome->layout, &outcome->layout->disks[i]);
}

/* One member more changes nothing about the others. */
static void check_growth(rf_profile *profile, rf_machine *machine, const rf_layout *layout)
{
    if (profile->storage.missing || profile->storage.count == rf_level_limits(profile->storage.level)->disks_max ||
        profile->storage.layout == RF_COPIES_FAR)
        return;
    profile->storage.count++;
    put_new_disk(profile, machine, layout);
    autooutcome grown;
    plan_it(profile, machine, &grown);
    check_new_disk(&grown);
    assert_non_null(find_step(grown.plan, "grow/system"));
    assert_non_null(find_step(grown.plan, "grow/data"));
}

/* A disk is lost, and a blank one is there instead: it takes the lost one's number, or, with spares, stands by. */
static void check_exchange(struct dice *dice, rf_profile *profile, rf_machine *machine, const rf_layout *layout)
{
    if (layout->disks_count < 2)
        return;
    const struct rf_layout_disk *lost = &layout->disks[below(dice, (unsigned)layout->disks_count)];
    struct rf_disk *gone = machine_disk(machine, lost);
    rf_disk_clear(gone);
    *gone = machine->disks[--machine->disks_count];
    put_new_disk(profile, machine, layout);
    autooutcome exchanged;
    plan_it(profile, machine, &exchanged);
    check_new_disk(&exchanged);
    rf_autofree char *id = rf_format("partition/%u", lost->member);
    assert_false(find_step(exchanged.plan, id)->done);
    const char *word = profile->storage.spares ? "spare/data" : "replace/data";
    assert_non_null(find_step(exchanged.plan, word));
}

static void check_after(struct dice *dice, rf_profile *profile, rf_machine *machine, const rf_layout *layout)
{
    check_finished(dice, profile, machine, layout);
    if (one_in(dice, 2))
        check_growth(profile, machine, layout);
    else
        check_exchange(dice, profile, machine, layout);
}

/* The order in which the kernel found the disks changes nothing. */
static void check_again(struct dice *dice, const rf_profile *profile, rf_machine *machine, const char *text)
{
    shuffle(dice, machine);
    autooutcome again;
    plan_it(profile, machine, &again);
    assert_string_equal(again.text, text);
}

static bool check_case(uint64_t seed)
{
    struct dice dice = {seed};
    rf_profile profile = make_profile(&dice);
    rf_automachine rf_machine *machine = make_machine(&dice, &profile);
    autooutcome first;
    plan_it(&profile, machine, &first);
    if (first.layout)
        check_layout(&profile, machine, first.layout);
    check_steps(first.layout, first.plan);
    if (one_in(&dice, AGAIN))
        check_again(&dice, &profile, machine, first.text);
    if (first.layout && one_in(&dice, AGAIN))
        check_after(&dice, &profile, machine, first.layout);
    return first.layout;
}

static uint64_t number_of(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : fallback;
}

/* Where a case fails, its own seed is what one wants to know. */
static int say_last(void **state)
{
    uint64_t seed = *(uint64_t *)*state;
    if (seed)
        print_message("the case that failed: RF_SEED=0x%" PRIx64 " RF_CASES=1\n", seed);
    return 0;
}

static void every_plan(void **state)
{
    uint64_t *seed = *state, cases = number_of("RF_CASES", CASES), planned = 0;
    assert_int_equal(getrandom(seed, sizeof(*seed), 0), sizeof(*seed));
    *seed = number_of("RF_SEED", *seed);
    print_message("RF_SEED=0x%" PRIx64 " begins %" PRIu64 " cases\n", *seed, cases);
    for (uint64_t i = 0; i < cases; i++, ++*seed)
        planned += check_case(*seed);
    *seed = 0;
    print_message("%" PRIu64 " of them were planned, the others refused\n", planned);
    if (cases >= 1000)
        assert_in_range(planned, cases / 4, cases * 19 / 20); /* both are worth looking at */
}

int main(void)
{
    uint64_t seed = 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate_setup_teardown(every_plan, NULL, say_last, &seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
