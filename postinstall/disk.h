/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's disk: a full qcow2 of its own. A recipe's image that is a thin overlay of the base beside it is written out as one; one
 * that stands for itself is cloned, which shares its blocks through the file system (XFS, btrfs: FICLONE, ioctl_ficlonerange(2))
 * and costs no time and no space. Unlike an overlay, such a disk stays whole when the images are replaced by newer ones or the
 * guest moves to another node.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* How many bytes an image takes when it is written out as a qcow2 with all that it stands on. `format` of one that is not trusted ("qcow2", "raw"), else
 * NULL. */
int rf_disk_measure(rf_runner *runner, const char *format, const char *from, uint64_t *ret_needed, rf_error **err);

/* Flushes a disk that was written under another name (fsync(2), mode 0600): one that has its name must be whole. */
int rf_disk_flush(const char *path, rf_error **err);

/* Gives a flushed disk its name. A disk that has it already stays as it is, whoever made it and whenever: that is RF_FAILED. A kill leaves
 * either name. */
int rf_disk_place(const char *from, const char *path, rf_error **err);

/* May a disk be made for it, or anything that goes before one? RF_FAILED where the guests' volume is not mounted (postinstall/pool.h), or where a guest
 * that has settled has lost its disk: it is never made anew by itself, since its secrets and what the node knows of it would go. Reads only. */
int rf_disk_may(const struct rf_node_guest *guest, rf_error **err);

/* Makes the disk and gives it the asked size; grows it where the profile asks for more later, and never shrinks it. A
 * running guest's disk is grown through libvirt. Argument: rf_node_guest. A kill leaves ".NAME.qcow2.new" at most, which the
 * next run replaces. A new disk gets new secrets and a new seed; a settled guest gets none (rf_disk_may). */
extern const struct rf_step_ops rf_step_disk;
