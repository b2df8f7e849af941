/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Would each disk bring the node up alone? Proved from the bytes on it, where `richtfest status` asks what is recorded. */
#pragma once

#include "base/step.h"
#include "profiles/profile.h"
#include "raid/machine.h"

/* Looks at every disk of this node that `machine` has, and with `mend` writes the boot loaders of those where they are not as they should
 * be, one disk after the other: a kill leaves all the others as they were. *ret_disks is a list by member number, the caller owns it:
 * [{"member", "name", "identity", "boots", "mended", "wrong": [text, …]}]. "boots": nothing is wrong (any more). A disk that can't be read or written
 * has that in "wrong", and keeps nobody else. -1 and *err where no disk of the node is there, or two are copies of one; `ret_disks` is untouched then. Reads the disks, and mounts each ESP at a place of its own meanwhile. */
int rf_verify_boot(struct rf_step_env *env, const rf_profile *profile, const rf_machine *machine, bool mend,
                   json_t **ret_disks, rf_error **err);

/* Does each disk of that list boot? Pure. */
bool rf_verify_boot_all(const json_t *disks);

/* The list as a table for people; the caller frees it. Pure. */
char *rf_verify_boot_text(const json_t *disks);
