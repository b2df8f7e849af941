/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/capacity.h"

#include "base/memory.h"
#include "base/units.h"

enum { RESERVE_PART = 50 };

uint64_t rf_capacity_reserve(const rf_profile *profile, uint64_t memory)
{
    return profile->node.reserve.memory ? profile->node.reserve.memory : RF_GIB + memory / RESERVE_PART;
}

uint64_t rf_capacity_room(const rf_profile *profile, uint64_t memory)
{
    uint64_t reserve = rf_capacity_reserve(profile, memory);
    return memory > reserve ? memory - reserve : 0;
}

static uint64_t needs(const struct rf_node_guest *guest)
{
    return guest->memory + RF_GUEST_OVERHEAD;
}

static void check_memory(const rf_node_model *model, uint64_t memory, rf_problems *problems)
{
    uint64_t sum = 0, room = rf_capacity_room(model->profile, memory);
    rf_autofree char *each = NULL;
    for (size_t i = 0; i < model->guests_count; i++) {
        rf_autofree char *own = rf_size_text_binary(model->guests[i].memory);
        sum += needs(&model->guests[i]);
        rf_append(&each, "%s%s %s", each ? ", " : "", model->guests[i].asked->name, own);
    }
    if (sum <= room)
        return;
    rf_autofree char *together = rf_size_text_binary(sum), *has = rf_size_text_binary(memory),
                     *kept = rf_size_text_binary(rf_capacity_reserve(model->profile, memory)),
                     *more = rf_size_text_binary(sum - room);
    rf_profile_problem(model->profile, problems, "guests",
                       "together they need %s of memory (%s, and 128 MiB each beside that); this machine has %s, of "
                       "which the node keeps %s (node.reserve.memory): %s too much",
                       together, each, has, kept, more);
}

static void check_cores(const rf_node_model *model, unsigned cores, rf_problems *problems)
{
    const rf_profile *profile = model->profile;
    unsigned sum = 0, own = cores > profile->node.reserve.cores ? cores - profile->node.reserve.cores : 0;
    for (size_t i = 0; i < model->guests_count; i++)
        sum += model->guests[i].cores;
    if (sum > own * profile->node.overcommit)
        rf_profile_problem(profile, problems, "guests",
                           "together they have %u virtual processors; this machine has %u, of which the node keeps %u "
                           "(node.reserve.cores), and each of the others may be given out %u times (node.overcommit): "
                           "at most %u",
                           sum, cores, profile->node.reserve.cores, profile->node.overcommit,
                           own * profile->node.overcommit);
}

void rf_capacity_check(const rf_node_model *model, uint64_t memory, unsigned cores, rf_problems *problems)
{
    if (model->guests_count == 0)
        return;
    check_memory(model, memory, problems);
    check_cores(model, cores, problems);
}
