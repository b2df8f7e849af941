/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is done to the roots of the node that runs. Whoever changes them does so alone (rf_root_lock), which is another lock than the one for
 * guests: a root on trial must be able to say that it is good while a long run brings guests up.
 */
#pragma once

#include "base/lock.h"
#include "base/paths.h"
#include "base/step.h"
#include "installer/roots.h"
#include "profiles/profile.h"
#include "raid/layout.h"

#define RF_ROOTS_TARGET RF_RUN_DIR "/roots"    /* where a command sees the system volume, for itself alone */
#define RF_ROOTS_TOP RF_ROOTS_TARGET "/system" /* its top level */
#define RF_ROOT_APT_KEPT 3                     /* snapshots before apt's runs that are kept */

/* Waits until no other command changes roots (installer/node_lock.h). */
int rf_root_lock(const char *what, struct rf_lock *ret_lock, rf_error **err);

/* From here on this thread's mounts are its own, and gone with it. */
int rf_roots_own_mounts(rf_error **err);

/* Mounts the system volume's top level at RF_ROOTS_TOP, and the guests' images beside it, in a mount namespace of the calling thread: nobody else
 * sees it, and it is gone with the thread, however that ends. Once in a thread. */
int rf_roots_enter(rf_runner *runner, rf_error **err);

/* Takes a snapshot of the running root as another one that can be booted. `run`: the run of apt that it is taken before; where one was taken for
 * that already, *ret_number is that one's and nothing is done. NULL: by a person. The newest RF_ROOT_APT_KEPT of apt's are kept, and
 * others removed; one that can't be removed is said as an event. A kill leaves a root that is still being made, which the next one
 * removes, or the whole one. On the disk when it returns. */
int rf_root_snapshot(struct rf_step_env *env, const char *top, rf_roots *roots, const char *run, unsigned *ret_number,
                     rf_error **err);

/* Removes a root with what is known of it. RF_BAD_MACHINE where it is not there or is needed (rf_root_needed). */
int rf_root_remove(struct rf_step_env *env, const char *top, const rf_roots *roots, unsigned number, rf_error **err);

/* Removes what interrupted commands left: roots that have no number yet. */
int rf_roots_clear(struct rf_step_env *env, const char *top, rf_error **err);

/* Everything that was written is on the disk, and where GRUB, which replays no log, sees it. */
int rf_roots_commit(struct rf_step_env *env, const char *top, rf_error **err);

/* RF_BAD_MACHINE: the root that runs is on trial itself, and nothing is tried against it. Returns -1. */
int rf_root_fail_trial(const rf_roots *roots, rf_error **err);

/* Who is asked to boot what. */
struct rf_root_switch {
    const rf_layout *layout; /* the disks that are there */
    const char *node_id;
    const char *top, *target;
    unsigned number;
};

/* The next boot is of that root: on trial against the running one, or, where it is that one, for good. Where the running one is on trial
 * itself, only the one before it can be gone back to (RF_BAD_MACHINE), for good. A kill leaves the choice as it was,
 * or the new one. On the disk when it returns. *ret_trial: it is on trial. */
int rf_root_switch_to(struct rf_step_env *env, const rf_roots *roots, const struct rf_root_switch *to, bool *ret_trial,
                      rf_error **err);

enum rf_settled { RF_SETTLED_ERROR = -1, RF_SETTLED_NOTHING, RF_SETTLED_GOOD, RF_SETTLED_GIVEN_UP };

/* What a boot says of a trial, from the kernel's command line: that the running root is good (ask for its health first), or that
 * another one was given up for it. *ret_root: which. Ends the trial, and notes it; RF_SETTLED_NOTHING where there is none, or it was
 * settled before. `system_uuid`: of the system volume. RF_SETTLED_ERROR and *err: it could not be noted; may be repeated. */
enum rf_settled rf_root_settle(struct rf_step_env *env, const char *top, rf_roots *roots, const char *cmdline,
                               const char *node_id, const char *system_uuid, unsigned *ret_root, rf_error **err);

/* In a file of a root that was made from root `from`: "roots/FROM" is "roots/TO". The caller frees it. Pure. */
char *rf_root_readdress(const char *text, unsigned from, unsigned to);
