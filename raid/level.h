/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a RAID level means for arithmetic and for mdadm: one row each. How many disks it takes: profiles/level.h. */
#pragma once

#include "profiles/level.h"

struct rf_level_row {
    enum rf_level level;
    const char *mdadm;  /* mdadm(8), --level */
    const char *kernel; /* what md/level and the superblock call it (raid/superblock.h) */
    const char *title;  /* for people */
    bool force;         /* create takes --force where no member is missing (see raid/array_create.c) */
    bool assume_clean;  /* any content of blank members is a valid array (see raid/array_create.c) */
    bool striped;       /* has a chunk, and more room with each further member */
    uint64_t (*room)(uint64_t member, unsigned members); /* bytes of data that members of so many bytes hold */
};

/* Never NULL for a value of the enum. */
const struct rf_level_row *rf_level_row(enum rf_level level);

/* mdadm's word for where the second copy is (md(4), "RAID10"): "n2", "f2"; the same in the superblock's view. */
const char *rf_copies_name(enum rf_copies copies);
