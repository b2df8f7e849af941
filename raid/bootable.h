/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mark that a disk's boot loaders are complete: GPT attribute bit 2, "Legacy BIOS Bootable" (UEFI 2.10, table 5.8), on
 * its BIOS boot partition. It is one checksummed write of the table, it is seen without mounting anything, and it does not
 * change how any firmware boots this disk.
 */
#pragma once

#include "raid/layout.h"

#include <stdbool.h>

#define RF_ATTRIBUTE_BOOTABLE (UINT64_C(1) << 2)

/* Why `disk`, one of this node's, would not bring the node up without the others; NULL where it would: it is marked, and its ESP and
 * its part of the system array are there. Whether that part is in step with the others, the array tells. The caller frees it. Pure:
 * by the inventory. */
char *rf_disk_boot_lack(const char *node_id, const struct rf_disk *disk);

/* Are its ESP and its part of the system array there, so that boot loaders have a place and something to boot? Pure. */
bool rf_disk_takes_loaders(const struct rf_disk *disk);

/* Opens the disk by its identity, and only where it carries the table of that disk of the node. */
int rf_disk_open_checked(const struct rf_layout_disk *disk, int flags, int *ret_fd, rf_error **err);

/* Is the disk marked? Reads its table only. */
int rf_bootable_read(const struct rf_layout_disk *disk, bool *ret_marked, rf_error **err);

/* Sets the mark and flushes. Repeatable; a kill leaves it set or not. */
int rf_bootable_mark(const struct rf_layout_disk *disk, rf_error **err);
