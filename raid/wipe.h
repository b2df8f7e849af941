/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Overwriting what names the contents of a disk: superblocks, tables, headers and their copies. The contents stay, unnamed. */
#pragma once

#include "raid/consent.h"

#define RF_WIPE_ALL UINT_MAX

/* Overwrites, in this order: for each partition of `disk`, the last one first (logical ones before the extended one that holds their
 * table), and then for the disk itself: RF_WIPE_ENDS or what raid/kind.c's row of each signature on it asks for, at the end, in
 * the middle, at the start, what it is known by last; and then what libblkid still finds (as wipefs(8) --all does). Each is flushed before the next, so that
 * a partition's contents are gone before the table that leads to it.
 *
 * `consent` says that this disk may lose what lies on it; one for another disk is refused (RF_FAILED).
 * `fd` is the whole disk, open for writing (exclusively, where it is a device); `disk` its fresh inventory. Everything is
 * addressed on the disk: no partition's device is opened. `writes`: how many pieces are written, RF_WIPE_ALL for all; with less,
 * the rest is left out, which is how a test cuts the power. Blocks. May be repeated; a kill leaves some of it, which the next
 * inventory shows. */
int rf_wipe_disk(const struct rf_consent *consent, int fd, const struct rf_disk *disk, unsigned writes, rf_error **err);
