/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Data that is not this node's. A disk is ours where its GPT disk GUID derives from the node's id (also after an interrupted
 * installation), and blank where neither libblkid nor raid/disk_table.c finds anything on it. Everything else is foreign and is never written. Pure.
 */
#pragma once

#include "raid/match.h"

/* What foreign data is on one disk: one line for each finding, each begun by a newline and `indent` blanks. NULL where the
 * disk is blank or ours. The caller frees it. */
char *rf_foreign_findings(const char *node_id, const struct rf_disk *disk, int indent);

/* One problem (storage.foreign) that lists every finding on every chosen disk that the profile does not consent to wipe, what runs on
 * it, and the consent that a person would have to write (raid/consent.h); also two disks that claim to be the same member of this
 * node. None where all are blank, ours, or consented to. */
void rf_foreign_check(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                      rf_problems *problems);
