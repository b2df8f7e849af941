/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One process at a time, by flock(2) on a file that stays: the kernel lets go of it however its holder ends. The file says who holds it, for
 * people. Its descriptor is close-on-exec, so no command that is run inherits the lock; a fork that does not exec must not happen
 * between taking and letting go, or close it.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

struct rf_lock {
    int fd;
    bool held; /* all zero: none, and letting it go does nothing */
};

/* Who waits for whom; `holder` is "richtfest apply --node (process 812, since 2026-11-21 14:02:11 UTC)". */
typedef void rf_lock_waiting(void *data, const char *holder);

/* Takes the lock at `path` (made with 0600; its directory must be there), as `what` ("richtfest apply"). Where another holds it, `waiting` is
 * called once, then this blocks until that one ends; nothing bounds the wait but a signal that ends the process. *ret_waited
 * (may be NULL): what was read before it must be read again. */
int rf_lock_take(const char *path, const char *what, rf_lock_waiting *waiting, void *data, struct rf_lock *ret_lock,
                 bool *ret_waited, rf_error **err);

/* Lets it go; may be repeated. The file stays: one that is removed would give two processes two locks. */
void rf_lock_release(struct rf_lock *lock);
#define rf_autolock RF_CLEANUP(rf_lock_release)
