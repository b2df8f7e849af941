/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/fit.h"

#include "base/memory.h"
#include "base/units.h"
#include "raid/level.h"

#include <string.h>

static void check_cores(const rf_profile *profile, const rf_machine *machine, rf_problems *problems)
{
    if (machine->cores < profile->requires.cores)
        rf_problem(problems, "requires.cores", "this machine has %u; the profile asks for %u", machine->cores,
                   profile->requires.cores);
}

static void check_memory(const rf_profile *profile, const rf_machine *machine, rf_problems *problems)
{
    uint64_t asked = profile->requires.memory;
    bool exact = machine->memory_source && strcmp(machine->memory_source, "dmi") == 0;
    uint64_t least = exact ? asked : asked - asked / 100 * RF_FIT_MEMORY_PERCENT;
    if (machine->memory >= least)
        return;
    rf_autofree char *have = rf_size_text(machine->memory);
    rf_autofree char *want = rf_size_text(asked);
    rf_problem(problems, "requires.memory", "this machine has %s; the profile asks for %s", have, want);
}

static void check_kvm(const rf_profile *profile, const rf_machine *machine, rf_problems *problems)
{
    if (profile->requires.kvm && !machine->kvm)
        rf_problem(problems, "requires.kvm", "this machine has no KVM: %s",
                   machine->kvm_reason ? machine->kvm_reason : "the reason is not known");
}

uint64_t rf_fit_storage(const rf_profile *profile, const struct rf_match *match)
{
    uint64_t smallest = match->chosen_count ? match->chosen[0]->size : 0;
    for (size_t i = 1; i < match->chosen_count; i++)
        smallest = match->chosen[i]->size < smallest ? match->chosen[i]->size : smallest;
    return rf_level_row(profile->storage.level)->room(smallest, profile->storage.count);
}

static void check_storage(const rf_profile *profile, const struct rf_match *match, rf_problems *problems)
{
    uint64_t room = rf_fit_storage(profile, match);
    if (match->chosen_count == 0 || room >= profile->requires.storage)
        return;
    rf_autofree char *have = rf_size_text(room);
    rf_autofree char *want = rf_size_text(profile->requires.storage);
    rf_problem(problems, "requires.storage", "level %s on the matching disks gives %s; the profile asks for %s",
               rf_level_name(profile->storage.level), have, want);
}

/* The profile's own rules say it too, with its place; this holds for whoever made a profile in another way. False: said. */
static bool check_level(const rf_profile *profile, rf_problems *problems)
{
    const struct rf_level_limits *limits = rf_level_limits(profile->storage.level);
    unsigned count = profile->storage.count;
    if (count >= limits->disks_min && count <= limits->disks_max)
        return true;
    bool few = count < limits->disks_min;
    unsigned bound = few ? limits->disks_min : limits->disks_max;
    rf_problem(problems, "storage.disks.count", "level %s %s %u disk%s; the profile asks for %u", limits->name,
               few ? "needs at least" : "takes at most", bound, bound == 1 ? "" : "s", count);
    return false;
}

void rf_fit_check(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                  rf_problems *problems)
{
    check_cores(profile, machine, problems);
    check_memory(profile, machine, problems);
    check_kvm(profile, machine, problems);
    if (check_level(profile, problems))
        check_storage(profile, match, problems);
}
