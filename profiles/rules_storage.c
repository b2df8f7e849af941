/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules about storage: what a level takes. */
#include "profiles/level.h"
#include "profiles/rule.h"

static bool level_is_known(const struct rf_rule_run *run)
{
    return !rf_rule_broken(run, "storage.level") && !rf_rule_broken(run, "storage.disks.count");
}

/* What to write instead: another level where one fits the count, else the least that this one takes. */
static void report_count(const struct rf_rule_run *run, const struct rf_level_limits *limits, unsigned count)
{
    const char *other = count == 1 ? "single" : count == 2 ? "raid1" : count == 3 ? "raid5" : NULL;
    if (other)
        rf_rule_report(run, "storage.disks.count", "`%s` needs %u to %u disks, not %u; write %u, or `level: %s`",
                       limits->name, limits->disks_min, limits->disks_max, count, limits->disks_min, other);
    else
        rf_rule_report(run, "storage.disks.count", "`%s` needs %u to %u disks, not %u; write %u", limits->name,
                       limits->disks_min, limits->disks_max, count, limits->disks_min);
}

void rf_rule_level(const struct rf_rule_run *run)
{
    unsigned count = run->profile->storage.count;
    const struct rf_level_limits *limits = rf_level_limits(run->profile->storage.level);
    if (!level_is_known(run) || (count >= limits->disks_min && count <= limits->disks_max))
        return;
    if (run->profile->storage.level == RF_LEVEL_SINGLE)
        rf_rule_report(run, "storage.disks.count", "`single` is one disk, not %u; write 1, or `level: raid1`", count);
    else
        report_count(run, limits, count);
}

void rf_rule_spares(const struct rf_rule_run *run)
{
    static const char key[] = "storage.disks.spares";
    if (!run->profile->storage.spares || !level_is_known(run))
        return;
    if (run->profile->storage.level == RF_LEVEL_SINGLE)
        rf_rule_report(run, key,
                       "`single` has no copy that a spare could be filled from; leave it out, or write `level: raid1`");
    else if (run->profile->storage.missing)
        rf_rule_report(run, key, "a spare would at once take the place of the member that is missing; write 0");
}

void rf_rule_missing(const struct rf_rule_run *run)
{
    static const char key[] = "storage.missing";
    enum rf_level level = run->profile->storage.level;
    unsigned missing = run->profile->storage.missing, count = run->profile->storage.count;
    if (!missing || !level_is_known(run))
        return;
    unsigned copes = rf_level_copes(level, count);
    if (level == RF_LEVEL_SINGLE)
        rf_rule_report(run, key, "`single` has no member that it could be without; leave it out");
    else if (missing > copes)
        rf_rule_report(run, key, "`%s` of %u disks may be without %u of them, not %u; write at most %u",
                       rf_level_name(level), count, copes, missing, copes);
}

void rf_rule_layout(const struct rf_rule_run *run)
{
    const rf_node *storage = rf_node_child(run->root, "storage");
    bool written = storage && rf_node_child(storage, "layout");
    if (written && level_is_known(run) && run->profile->storage.level != RF_LEVEL_RAID10)
        rf_rule_report(run, "storage.layout", "only `raid10` has one; leave it out, or write `level: raid10`");
}
