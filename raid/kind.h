/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What can lie on a disk: one row for each kind of signature (kind.c), and one for each kind of running device that is built on
 * disks (holder.c). The first says what a person reads, what the kernel has to be told, and what wiping takes beyond the magic
 * bytes that wipefs(8) overwrites; the second how it is shut down.
 */
#pragma once

#include "base/step.h"
#include "raid/machine.h"

/* Overwritten at both ends of everything that is cleared, whatever lies there. The first MiB holds all tables and nearly all
 * superblocks. The last: backup GPT, md 0.90 (64 to 128 KiB before the end) and 1.0 (8 KiB), the last two of ZFS' four labels (512 KiB,
 * and up to 256 KiB of rounding), DRBD's and nilfs2's last blocks, NTFS' second boot sector, the anchors of firmware RAID. */
#define RF_WIPE_ENDS (UINT64_C(1) << 20)

/* Further copies lie in the middle of the device: this much is overwritten at each of them. */
#define RF_WIPE_SPOT 4096
#define RF_WIPE_SPOTS 4

struct rf_kind {
    const char *type;  /* libblkid's TYPE or PTTYPE, or one of RF_TABLE_* (raid/inventory.h) */
    const char *title; /* for people */

    /* Lets go of what the kernel keeps of it without a device that is built on it; `device` is its path. NULL: nothing is kept.
     * Fails (RF_BAD_MACHINE) where a person has to do that. May be repeated; writes nothing to the disk. */
    int (*release)(struct rf_step_env *env, const char *device, const struct rf_signature *signature, rf_error **err);

    uint64_t head, tail; /* bytes to overwrite at the ends, where that is more than RF_WIPE_ENDS; else 0 */
    const uint64_t spots[RF_WIPE_SPOTS]; /* offsets of further copies, ended by 0 */
};

/* The rows, for the documentation's and the tests' sake, and how many. */
extern const struct rf_kind rf_kinds[];
extern const size_t rf_kinds_count;

/* The row of a signature's type; never NULL: a type without a row gets one that has an empty title. */
const struct rf_kind *rf_kind_of(const char *type);

/* "LVM physical volume (LVM2_member) of volume group pve, UUID …, at byte 536". The caller frees it. Pure. */
char *rf_kind_text(const struct rf_signature *signature);

/* The words for a GPT disk whose partitions have the names that this program gives: a node's disk. NULL: it is none. Static. */
const char *rf_kind_node(const struct rf_disk *disk);
