/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands of the group `root` begin with. */
#pragma once

#include "installer/on_node.h"
#include "installer/root_change.h"

struct rf_root_command {
    rf_profile *profile;
    struct rf_lock lock;
    rf_runner *runner;
    rf_events *events;
    struct rf_step_env env;
    rf_roots *roots;
    char *cmdline;       /* of the kernel that runs */
    char *system_uuid;   /* of the file system that it booted from */
    rf_machine *machine; /* NULL but after rf_root_command_disks */
    rf_layout *layout;
};

/* `ret` is all zero before. Reads the node's profile and its roots, the system volume's top level mounted at RF_ROOTS_TOP for this thread
 * alone. `what` ("richtfest root rollback"): waits first until no other command changes roots; NULL: this one only looks. RF_BAD_MACHINE
 * where this is no node. What is said meanwhile goes to standard error. */
int rf_root_command_open(struct rf_root_command *ret, const char *what, rf_error **err);

/* The same in a live system, for the node of the profile at `path` (or "-"), none of whose roots may start any more: its arrays are assembled, its
 * volumes mounted below RF_ROOTS_TARGET for this thread alone. In the place of the root that runs counts the one that the node would boot.
 * Comes with rf_root_command_disks. RF_BAD_MACHINE on a node itself. */
int rf_root_command_open_live(struct rf_root_command *ret, const char *path, const char *what, rf_error **err);

/* The disks of this node that are there. */
int rf_root_command_disks(struct rf_root_command *self, rf_error **err);

/* Frees it and lets go of the lock; may be repeated. */
void rf_root_command_close(struct rf_root_command *self);
#define rf_autorootcommand RF_CLEANUP(rf_root_command_close)
