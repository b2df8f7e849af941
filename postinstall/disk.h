/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's disk: a full qcow2 of its own, cloned from the recipe's base image. A clone shares blocks with the base through
 * the file system (XFS, btrfs: FICLONE, ioctl_ficlonerange(2)), so it costs no time and no space; but unlike a
 * backing-file overlay it stays whole when the base image is replaced by a newer one or the guest moves to another node.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Makes the disk and gives it the asked size; grows it where the profile asks for more later, and never shrinks it. A
 * running guest's disk is grown through libvirt. Argument: rf_node_guest. A kill leaves ".NAME.qcow2.new" at most, which the
 * next run replaces. A new disk makes the guest unsettled: it gets new secrets and a new seed. */
extern const struct rf_step_ops rf_step_disk;
