/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files that make a copy of the image this node: pure text from profile and layout, so that a person can review them as
 * golden files. Who writes them is installer/step_configure.c.
 */
#pragma once

#include "profiles/profile.h"

struct rf_system_ids {               /* borrowed */
    const char *root;                /* subvolume: "roots/1" */
    const char *system_uuid;         /* btrfs */
    const char *system_md, *data_md; /* arrays, as UUIDs with dashes */
    const char *images_uuid;         /* XFS */
    const char *arguments;           /* further ones for the kernel; or NULL */
};

struct rf_system_file {
    const char *path; /* below the new root: "/etc/fstab" */
    unsigned mode;
    char *text;
};

/* Every file, in a fixed order; *ret_count of them; freed by rf_system_files_free. */
struct rf_system_file *rf_system_files(const rf_profile *profile, const struct rf_system_ids *ids, size_t *ret_count);
void rf_system_files_free(struct rf_system_file *files, size_t count);

/* mdadm's way of writing a UUID: four groups of eight digits with colons (mdadm.conf(5)). `ret` has 36 bytes. */
void rf_md_uuid(const char *uuid, char ret[36]);

/* The kernel's command line of the installed node. The caller frees it. */
char *rf_node_cmdline(const struct rf_system_ids *ids);

/* /boot/grub/grub.cfg of the node. It boots /boot/vmlinuz and /boot/initrd.img, links that Debian's kernel packages keep
 * (linux-update-symlinks(1), kernel-img.conf(5)), so that an updated kernel is booted too; behind them the `.old` pair. It adds exactly
 * two entries to the menu of whoever reads it (installer/boot_choice.c counts on that). $rf_words are that one's for the kernel. The
 * caller frees it. */
char *rf_node_grub_config(const rf_profile *profile, const struct rf_system_ids *ids);

/* What GRUB's core (BIOS) and each ESP start with: find the system volume and go on with what says which root is booted
 * (installer/boot_choice.h). The same for every root of the node, so no switch has to write it. The caller frees it. */
char *rf_grub_stub(const struct rf_system_ids *ids);
