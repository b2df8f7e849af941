/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guests' disks. The base: a root file system as a bootable disk image, without a mount or a loop device: GPT with a BIOS boot
 * partition, an ESP and an ext4 root that is the last one, so that it can grow. A recipe's: a copy of it that was worked on,
 * of which only what differs is kept.
 */
#pragma once

#include "base/ident.h"
#include "base/step.h"

#include <stdint.h>
#include <time.h>

struct rf_guest_disk {
    const char *name;    /* identities derive from it */
    const char *root;    /* the tree */
    const char *loaders; /* a root that holds GRUB and shim (usr/lib/grub, usr/lib/shim) and grub-mkimage */
    const char *work;    /* a directory for what lies in between */
    const char *raw;     /* what is made: sparse */
    time_t date;
};

/* The file system's UUID: what etc/fstab and grub.cfg of the tree name. */
void rf_guest_disk_uuid(const char *name, char ret[RF_UUID_TEXT]);

/* How large the disk is to be for a tree of so many bytes: 8 GB, as large as the smallest guest may be, so that every recipe's
 * packages fit in beside the base; or twice the tree where that is more. Whole MiB. */
uint64_t rf_guest_disk_size(uint64_t tree);

/* Where the root's file system lies in a disk of so many bytes. */
struct rf_guest_disk_part {
    uint64_t offset, size; /* bytes */
};
struct rf_guest_disk_part rf_guest_disk_root(uint64_t disk);

/* The script for sfdisk(8). The caller frees it. Pure. */
char *rf_guest_disk_table(const char *name, uint64_t size);

/* Makes the raw disk. Blocks for some seconds. */
int rf_guest_disk_make(struct rf_step_env *env, const struct rf_guest_disk *disk, rf_error **err);

/* A raw disk as qcow2, compressed by zstd. Blocks for some seconds. */
int rf_guest_disk_pack(struct rf_step_env *env, const char *raw, const char *output, rf_error **err);

struct rf_guest_overlay {
    const char *raw;      /* the disk as it is to be; unmounted */
    const char *base_raw; /* the disk as it was, */
    const char *base;     /* and packed: its file name is what the overlay asks for, in the overlay's own directory */
    const char *work;     /* a directory for what lies in between */
    const char *output;   /* qcow2, zstd compressed: only the clusters that differ */
    time_t date;
};

/* Makes the overlay, then compares it with `raw`, cluster by cluster: what differs is RF_FAILED. Blocks for some ten seconds. */
int rf_guest_disk_overlay(struct rf_step_env *env, const struct rf_guest_overlay *overlay, rf_error **err);
