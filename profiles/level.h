/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a profile may ask of a RAID level: one row each. What a level means for the disks is raid/level.h. */
#pragma once

#include "profiles/profile.h"

struct rf_level_limits {
    const char *name; /* as a profile writes it */
    unsigned disks_min, disks_max;
    unsigned disks_default; /* where `storage.disks.count` is left out */
    unsigned copes;         /* so many members may be lost, whichever they are; RF_COPES_BUT_ONE: all but one */
};

#define RF_COPES_BUT_ONE UINT32_MAX

/* Never NULL for a value of the enum. */
const struct rf_level_limits *rf_level_limits(enum rf_level level);

/* Its name; never NULL. */
const char *rf_level_name(enum rf_level level);

/* How many of `disks` members may be lost, whichever they are. */
unsigned rf_level_copes(enum rf_level level, unsigned disks);
