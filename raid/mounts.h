/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The finished storage under a directory, for whoever deploys onto it:
 *
 *   TARGET/system     btrfs, top level: roots/ and state/ are its subvolumes
 *   TARGET/images     XFS for guests' images
 *
 * The ESPs are not: who writes them mounts them (installer/loaders.h).
 * What is mounted is read from the kernel, not remembered, so a run that was killed leaves nothing that the next one can't undo.
 */
#pragma once

#include "raid/steps.h"

/* Assembles the arrays (also degraded), activates the volume and mounts all. Where everything is mounted already, nothing is
 * done; where only a part is (an earlier run was killed), that is unmounted first. On failure everything is unmounted
 * again. Blocks until the devices are there. */
int rf_target_open(struct rf_step_env *env, const rf_layout *layout, const char *target, rf_error **err);

/* Mounts subvolume `root` ("roots/1") as a complete system at TARGET/root: state, images, the first member's ESP, and the kernel's
 * file systems (dev, proc, sys, run) in it, for commands that run in it by chroot. The mount points must exist in it. */
int rf_target_enter(struct rf_step_env *env, const rf_layout *layout, const char *target, const char *root,
                    rf_error **err);

/* Unmounts everything below `target`, last mounted first. Every mount is tried; the first failure is the error, because a
 * mount that stays means data that may not be on the disk. No mounts: success. */
int rf_target_close(const char *target, rf_error **err);

/* Unmounts what is mounted at `where`. Waits up to 10 s for what holds it: a program that another thread is just starting has, until it
 * runs, whatever this process has open (fork(2); O_CLOEXEC works at execve(2)). RF_FAILED with errno's text behind `where`. */
int rf_unmount(const char *where, rf_error **err);

/* The mount points below `target` in a text of /proc/self/mountinfo, last mounted first, NULL-terminated; freed by
 * rf_names_free (raid/inventory.h). Pure. */
char **rf_mounts_below(const char *mountinfo, const char *target);
