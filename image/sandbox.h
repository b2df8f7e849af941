/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mount namespace of the calling thread's own. What is mounted in it is seen by this thread and the commands that it runs, and by
 * nobody else; when the thread is gone, a SIGKILL included, the kernel unmounts all of it and frees the loop devices below
 * (they are set to be cleared with their last user). So nothing has to be found and undone after a kill.
 */
#pragma once

#include "base/error.h"

#include <sys/types.h>

struct rf_sandbox {
    int mounts, net, directory; /* descriptors of what the thread returns to; -1: it never left */
    mode_t mask;
};

#define RF_SANDBOX_OUTSIDE ((struct rf_sandbox){.mounts = -1, .net = -1, .directory = -1})

/* Gives the calling thread a copy of the mounts, its own working directory, and the umask 022 that packages expect. Needs
 * root (RF_BAD_MACHINE where the kernel or the container refuses). To be left by the same thread. */
int rf_sandbox_enter(struct rf_sandbox *self, rf_error **err);

/* Takes the network away from the thread and what it starts from here on: there is only a loopback device, which is up. Until
 * rf_sandbox_online, or rf_sandbox_leave. */
int rf_sandbox_offline(struct rf_sandbox *self, rf_error **err);
void rf_sandbox_online(struct rf_sandbox *self); /* back again; never offline: nothing */

/* Back to where the thread was: the guard of both. Everything that was mounted inside goes with the namespace. */
void rf_sandbox_leave(struct rf_sandbox *self);
#define rf_autosandbox RF_CLEANUP(rf_sandbox_leave)

/* What a program in a chroot at `root` looks for, mounted there until the sandbox is left: /dev with the harmless devices, a
 * read-only /sys, an empty /run. (/proc comes with the process namespace: RF_CHROOT_ARGV.) Only inside a sandbox. */
int rf_sandbox_fill(const char *root, rf_error **err);

/* Takes it away again: from here on only the root's own files are seen. */
int rf_sandbox_empty(const char *root, rf_error **err);
