/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A root file system as a bootable disk image, without a mount or a loop device: GPT with a BIOS boot partition, an ESP and an ext4
 * root that is the last one, so that it can grow.
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
    const char *output;  /* qcow2, zstd compressed */
    time_t date;
};

/* The file system's UUID: what etc/fstab and grub.cfg of the tree name. */
void rf_guest_disk_uuid(const char *name, char ret[RF_UUID_TEXT]);

/* How large the disk is to be for a tree of so many bytes: twice that, whole GiB, at least 2. */
uint64_t rf_guest_disk_size(uint64_t tree);

/* The script for sfdisk(8). The caller frees it. Pure. */
char *rf_guest_disk_table(const char *name, uint64_t size);

/* Makes it. Blocks for some ten seconds. */
int rf_guest_disk_make(struct rf_step_env *env, const struct rf_guest_disk *disk, rf_error **err);
