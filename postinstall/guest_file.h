/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people do with a guest as a whole: take it out, bring it in, enlarge its disk, delete it. For commands, not for the plan. */
#pragma once

#include "base/lock.h"
#include "base/step.h"
#include "postinstall/node.h"

/* The domain of a guest of this program, in the profile or kept from an earlier one; virDomainFree it. NULL and *err where there is none, or
 * where it is somebody else's. */
virDomainPtr rf_guest_domain(const rf_node_model *model, const char *name, rf_error **err);

/* Every guest of this program, in the order of the profile, then those that are kept by name: array of {"name", "recipe", "state", "cores", "memory", "disk", "address", "lan" ("office
 * 192.168.20.5/24"), "tuning", "snapshots", "autostart", "in_profile", "restart_needed"}; what a guest does not have is left out. NULL and *err where libvirt can't be asked. The caller owns it. */
json_t *rf_guest_list(const rf_node_model *model, rf_error **err);

/* Writes DIRECTORY/NAME.qcow2 (one file, without snapshots) and DIRECTORY/NAME.xml. A running guest's file systems are held still
 * and it stands still itself while its disk is cloned, which takes a second where the file system can clone; where it can't,
 * the guest has to be shut down first. A directory that holds guests' disks or images is refused. What is there under these names is replaced when the new is complete.
 * One at a time exports a guest: whoever else does is waited for, and `waiting` is told (base/lock.h). A kill leaves DIRECTORY/.NAME.qcow2.new, which the
 * next export replaces. */
int rf_guest_export(rf_runner *runner, const rf_node_model *model, const char *name, const char *directory,
                    rf_lock_waiting *waiting, rf_error **err);

/* Makes `file` (qcow2 or raw) the disk of a guest of the profile that has none yet, as one that was set up elsewhere: the next apply defines
 * and starts it and tells it what has changed. The file itself is only read. */
int rf_guest_import(rf_runner *runner, const struct rf_node_guest *guest, const char *file, rf_error **err);

/* Enlarges its disk, also while it runs; smaller than it is, is refused. A running guest is asked by its agent to take the space; one that does not
 * (shut down, no agent, a system of others) has a larger disk all the same, and *ret_words says who takes the space then. The caller frees it; NULL: it
 * has taken the space. Blocks for as long as the guest takes, some minutes at most. Repeatable. */
int rf_guest_resize(rf_runner *runner, const rf_node_model *model, const char *name, uint64_t bytes, char **ret_words,
                    rf_error **err);

/* Removes its disk, snapshots, secrets, and its definition last, so that it can be repeated. Only of one that is shut down. A guest of
 * the profile whose seeding has not come as far as its definition loses what is there of it. */
int rf_guest_delete(const rf_node_model *model, const char *name, rf_error **err);
