/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "profiles/level.h"

#include "base/guard.h"

#include <stdlib.h>

/*
 * At most 8 members: each holds a copy of the system array, and each write to it goes to all of them.
 * raid6 takes 4 because mdadm(8) asks for them; raid10 takes 3 because with two it is raid1 under another name.
 */
static const struct rf_level_limits rows[] = {
    [RF_LEVEL_SINGLE] = {"single", 1, 1, 1, 0}, [RF_LEVEL_RAID1] = {"raid1", 2, 8, 2, RF_COPES_BUT_ONE},
    [RF_LEVEL_RAID5] = {"raid5", 3, 8, 3, 1},   [RF_LEVEL_RAID6] = {"raid6", 4, 8, 4, 2},
    [RF_LEVEL_RAID10] = {"raid10", 3, 8, 4, 1},
};

const struct rf_level_limits *rf_level_limits(enum rf_level level)
{
    if (level >= RF_COUNT(rows))
        abort(); /* an enum value without a row is a mistake in this file */
    return &rows[level];
}

const char *rf_level_name(enum rf_level level)
{
    return rf_level_limits(level)->name;
}

unsigned rf_level_copes(enum rf_level level, unsigned disks)
{
    unsigned copes = rf_level_limits(level)->copes;
    return copes == RF_COPES_BUT_ONE ? disks - (disks > 0) : copes;
}
