/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/present.h"

#include "base/memory.h"

static void choose(struct rf_match *match, const struct rf_disk *disk)
{
    *(const struct rf_disk **)rf_array_add(&match->chosen, &match->chosen_count, sizeof(*match->chosen)) = disk;
}

/* Two copies of one disk would be written to as one. */
static bool seen_before(const char *node_id, const struct rf_match *match, const struct rf_disk *disk,
                        rf_problems *problems)
{
    unsigned member = rf_disk_member(node_id, disk);
    for (size_t i = 0; i < match->chosen_count; i++)
        if (rf_disk_member(node_id, match->chosen[i]) == member) {
            rf_problem(problems, "storage.disks", "%s and %s both say that they are disk %u of node %s: disconnect one",
                       match->chosen[i]->name, disk->name, member, node_id);
            return true;
        }
    return false;
}

rf_layout *rf_layout_present(const rf_profile *profile, const rf_machine *machine, rf_problems *problems)
{
    rf_automatch struct rf_match match = {0};
    for (size_t i = 0; i < machine->disks_count; i++) {
        const struct rf_disk *disk = &machine->disks[i];
        if (!rf_disk_member(profile->node.id, disk))
            continue;
        if (seen_before(profile->node.id, &match, disk, problems))
            return NULL;
        choose(&match, disk);
    }
    return match.chosen_count ? rf_layout_new(profile, &match, problems) : NULL;
}
