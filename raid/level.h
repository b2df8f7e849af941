/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a RAID level means for arithmetic and for mdadm: one row each. */
#pragma once

#include "profiles/profile.h"

struct rf_level_row {
    enum rf_level level;
    const char *mdadm; /* mdadm(8), --level */
    const char *title; /* for people */
    unsigned disks_min, disks_max;
    bool force;                             /* mdadm asks for --force: an array of one member */
    bool assume_clean;                      /* any content of blank members is a valid array (see raid/step_array.c) */
    unsigned (*data_disks)(unsigned disks); /* how many members' worth of room is left for data */
};

/* Never NULL for a value of the enum. */
const struct rf_level_row *rf_level_row(enum rf_level level);
