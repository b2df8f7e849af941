/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/level.h"

#include "base/guard.h"

#include <stdlib.h>

static uint64_t room_of_one(uint64_t member, unsigned members)
{
    (void)members;
    return member;
}

static uint64_t room_less_one(uint64_t member, unsigned members)
{
    return member * (members - 1);
}

static uint64_t room_less_two(uint64_t member, unsigned members)
{
    return member * (members - 2);
}

/* Two copies of each block; an odd number of members has room for half a member more. */
static uint64_t room_halved(uint64_t member, unsigned members)
{
    return member * members / 2;
}

/* `single` is a mirror of one member and not a plain partition: a second disk can be added to it later while it runs. */
static const struct rf_level_row rows[] = {
    {RF_LEVEL_SINGLE, "1", "raid1", "single", true, true, false, room_of_one},
    {RF_LEVEL_RAID1, "1", "raid1", "RAID1", false, true, false, room_of_one},
    {RF_LEVEL_RAID5, "5", "raid5", "RAID5", true, false, true, room_less_one},
    {RF_LEVEL_RAID6, "6", "raid6", "RAID6", true, false, true, room_less_two},
    {RF_LEVEL_RAID10, "10", "raid10", "RAID10", false, true, true, room_halved},
};

const struct rf_level_row *rf_level_row(enum rf_level level)
{
    for (size_t i = 0; i < RF_COUNT(rows); i++)
        if (rows[i].level == level)
            return &rows[i];
    abort(); /* an enum value without a row is a mistake in this file */
}

const char *rf_copies_name(enum rf_copies copies)
{
    return copies == RF_COPIES_FAR ? "f2" : "n2";
}
