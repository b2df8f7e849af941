/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/level.h"

#include "base/guard.h"
#include "raid/match.h"

static unsigned one(unsigned disks)
{
    (void)disks;
    return 1;
}

/* `single` is a mirror of one member and not a plain partition: a second disk can be added to it later while it runs. */
static const struct rf_level_row rows[] = {
    {RF_LEVEL_SINGLE, "1", "single", 1, 1, true, true, one},
    {RF_LEVEL_RAID1, "1", "RAID1", 2, RF_MEMBERS_MAX, false, true, one},
};

const struct rf_level_row *rf_level_row(enum rf_level level)
{
    for (size_t i = 0; i < RF_COUNT(rows); i++)
        if (rows[i].level == level)
            return &rows[i];
    abort(); /* an enum value without a row is a mistake in this file */
}
