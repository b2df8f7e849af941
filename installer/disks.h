/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's disks, for `richtfest status`: would each of them bring the node up if it were the only one left? */
#pragma once

#include "profiles/profile.h"
#include "raid/machine.h"

/* [{"member", "name", "identity", "boots", "why", "well"}] by member number: "why" (or null) says what is missing, "name" and "identity"
 * are null where the disk was not found. "well" is whether that is as it should be: a spare of `arrays` (installer/arrays.h) does not boot
 * alone, and is well. From the machine's inventory of disks; pure. The caller owns the list. */
json_t *rf_disks_json(const rf_profile *profile, const rf_machine *machine, const json_t *arrays);

/* Is each of them well: does it boot, or is it a spare that is ready to? */
bool rf_disks_boot(const json_t *disks);

/* The same as a table for people; the caller frees it. Pure. */
char *rf_disks_text(const json_t *disks);
