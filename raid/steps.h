/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps that turn a layout into reality, and what they share. Every device is named by an identity that derives from
 * the node's id (PARTUUID, array name and UUID, volume group), never by a kernel name that was seen earlier.
 */
#pragma once

#include "base/step.h"
#include "raid/layout.h"

extern const struct rf_step_ops rf_step_clear;     /* arg: struct rf_consent (raid/consent.h) */
extern const struct rf_step_ops rf_step_partition; /* arg: struct rf_layout_disk */
extern const struct rf_step_ops rf_step_array;     /* arg: struct rf_layout_array */
extern const struct rf_step_ops
    rf_step_join; /* the same on a running node: takes disks into an array that runs, never makes one */
extern const struct rf_step_ops rf_step_volume;     /* arg: struct rf_layout_volume */
extern const struct rf_step_ops rf_step_filesystem; /* arg: struct rf_layout_filesystem */

/* What a larger array needs so that its room is used. Each looks what is there and does nothing where nothing is to be gained, also
 * while a reshape still goes on (the array has its new size only at its end). All work on file systems in use. */
extern const struct rf_step_ops rf_step_grow_group;      /* arg: struct rf_layout_volume */
extern const struct rf_step_ops rf_step_grow_volume;     /* arg: struct rf_layout_volume */
extern const struct rf_step_ops rf_step_grow_filesystem; /* arg: struct rf_layout_filesystem */

/* Is it that disk: the serial number and the WWN as far as they were recorded, and the size; the bus path where it has neither? Then what lies
 * on it is asked too, by whoever writes. Pure. */
bool rf_layout_disk_is(const struct rf_layout_disk *wanted, const struct rf_disk *disk);

/* Finds the disk by its identity (serial, WWN; bus path where it has neither; and its size), opens its device with `flags`
 * and looks again that the device behind the descriptor is that disk. Exactly one must be found. `ret_disk` gets a fresh
 * inventory of it, signatures and table included; the caller clears it and closes the descriptor. */
int rf_disk_open(const struct rf_layout_disk *wanted, int flags, int *ret_fd, struct rf_disk *ret_disk, rf_error **err);

/* For what takes a path: does the link `device` ("/dev/disk/by-partuuid/…") lead to that partition, where the layout has it, on the disk with
 * the identity that was recorded? A link follows whichever disk says that it has the partition, a copy too. A link that does not
 * exist, or is none of these disks' partitions, is somebody else's question. `sysroot` is "" but in tests. Reads /sys only. */
int rf_part_check(const char *sysroot, const struct rf_layout_disk *disks, size_t count, const char *device,
                  rf_error **err);

/* Writes the table: GPT with our disk GUID and all partitions, signatures in the new partitions' areas wiped, the kernel told.
 * `fd` is open for writing; `path` is for messages. No check of what is there: rf_step_partition does that. The order of the
 * writes is libfdisk's (backup table first, protective MBR last), so a kill leaves a disk that looks blank, or the table. */
int rf_partition_write(int fd, const char *path, const struct rf_layout_disk *layout, rf_error **err);

/* Waits until udev has made these links (NULL-terminated), by udevadm(8). */
int rf_wait_devices(struct rf_step_env *env, const char *const *devices, rf_error **err);

/* Makes the array run under its own name with all members that are there, without ever creating one: assembles it, also
 * degraded; stops a run under another name (udev's, of an earlier boot) first; puts back members that fell out. */
int rf_array_assemble(struct rf_step_env *env, const struct rf_layout_array *array, rf_error **err);

/* Makes the volume's device appear. Creates nothing. */
int rf_volume_activate(struct rf_step_env *env, const struct rf_layout_volume *volume, rf_error **err);
