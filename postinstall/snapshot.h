/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots of a guest, by libvirt: inside its disk's own qcow2, with its memory while it runs (it stands still meanwhile), under names that
 * Cockpit and virsh show too.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"
#include "postinstall/pool_room.h"

#define RF_SNAPSHOT_PREFIX "richtfest-" /* of those that this program takes by itself */
#define RF_SNAPSHOTS_KEPT 3             /* of those; people's own are never removed */

/* Takes one; `name` NULL makes one up from the time. The name goes to *ret_name (may be NULL), the caller frees it. */
int rf_snapshot_take(virDomainPtr domain, const char *name, const char *description, char **ret_name, rf_error **err);

/* Room in the pool for the snapshot of a guest that runs, whose memory goes into its disk: to be held while it is taken (postinstall/pool_room.h). RF_FAILED
 * where there is none. A guest that is shut down needs none. `env` may be without events. */
int rf_snapshot_room(struct rf_step_env *env, const rf_node_model *model, virDomainPtr domain,
                     struct rf_pool_share *ret_share, rf_error **err);

/* Array of {"name", "description", "taken": seconds since 1970, "current": bool}, the oldest first. The caller owns it; NULL and *err. */
json_t *rf_snapshot_list(virDomainPtr domain, rf_error **err);

/* Which one is meant: `name`, or the newest one (NULL). Its name goes to *ret_name, the caller frees it, and when it was taken (seconds since 1970) to
 * *ret_taken. RF_FAILED where there is none. */
int rf_snapshot_choose(virDomainPtr domain, const char *name, char **ret_name, int64_t *ret_taken, rf_error **err);

/* Back to it: disk, memory and definition as they were. What happened since is lost. `name` NULL: the newest one.
 * What else there is to be done: postinstall/rollback.h. */
int rf_snapshot_rollback(virDomainPtr domain, const char *name, char **ret_name, rf_error **err);

/* Removes one; RF_FAILED where there is none of that name. */
int rf_snapshot_delete(virDomainPtr domain, const char *name, rf_error **err);

/* Before the engine changes a guest that is in use: takes one and removes the oldest of its own beyond RF_SNAPSHOTS_KEPT. A machine that can't
 * have any (UEFI, on releases of libvirt that can't do it) is changed without, which is said. Nothing is done for a guest that
 * is not settled yet, or not defined. */
int rf_snapshot_before(struct rf_step_env *env, const struct rf_node_guest *guest, const char *what, rf_error **err);

/* The same, but one for one change, however often it is tried: each further one would push an older and more useful one out. `change` is a word that tells
 * this change from another one (a size, a digest). What was taken for what is noted in the guest's state ("before-<what>") until
 * rf_snapshot_spent says that the change is made; where a person has removed that snapshot, another one is taken. */
int rf_snapshot_once(struct rf_step_env *env, const struct rf_node_guest *guest, const char *what, const char *change,
                     rf_error **err);
int rf_snapshot_spent(const struct rf_node_guest *guest, const char *what, rf_error **err);
