/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a superblock says that libblkid does not pass on. */
#pragma once

#include "raid/machine.h"

/* Fills level, layout and members of an md member's signature (metadata 1.x), and size of an XFS's, from the superblock in the device
 * behind `fd`; the signature's offset counts from `base`, bytes from the device's start. Other types, and what can't be read, stay as
 * they are: the planner then knows less and plans less. Reads only. */
void rf_superblock_fill(int fd, uint64_t base, struct rf_signature *signature);

/* When `member` was last written, did it count `running`, another partition with a superblock of the same array, as a member at work? One that
 * counts none of those which run now went on without them, and may hold what they do not. *ret_counts is set on success. Reads only. */
int rf_superblock_counts(const char *member, const char *running, bool *ret_counts, rf_error **err);
