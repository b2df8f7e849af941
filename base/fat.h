/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FAT keeps no journal: a power cut while an ESP was written leaves clusters that belong to nobody, and the mark that it was not unmounted,
 * which Linux never takes away by itself.
 */
#pragma once

#include "base/command.h"

/* Checks the FAT32 file system on `device` and mends it (fsck.fat(8)), but only where it bears that mark. Not while it is mounted. Blocks.
 * Repeatable; a kill leaves the mark, so the next call mends on. RF_FAILED where the device can't be read, or can't be mended: fsck.fat's
 * own words, and the device's name. */
int rf_fat_mend(rf_runner *runner, const char *device, rf_error **err);
