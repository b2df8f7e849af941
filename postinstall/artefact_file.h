/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One artefact of the list on the node, a JSON object as the ISO's manifest has it. Only postinstall/artefact*.c include this. */
#pragma once

#include "postinstall/node.h"

/* Those of these names that the images lack; with `had` only those that can be had at all. The caller owns the array. Pure. */
json_t *rf_artefacts_lacking(const struct rf_node_guest *guest, const json_t *names, bool had);

/* Can it be had at all? A list from a medium is no reason to believe everything; and one without a confirmed checksum is never fetched. */
bool rf_artefact_sound(const json_t *artefact);

/* Has the guest all that it gets? It has settled and has its disk, or its drive was written for just the list that counts now. A mark alone is
 * not believed: it may be of a disk, or of a list, that is gone. Looks at names and one small file. */
bool rf_artefact_ready(const struct rf_node_guest *guest);

/* Notes for which list the drive was written; before that, with `written` false, that it is for none. The note lies beside the drive. */
int rf_artefact_note_drive(const struct rf_node_guest *guest, bool written, rf_error **err);

/* Where a person puts it, and where this program does; the caller frees them. */
char *rf_artefact_hand_path(const rf_node_model *model, const json_t *artefact);
char *rf_artefact_fetched_path(const rf_node_model *model, const json_t *artefact);

/* "waiting for artefact NAME VERSION (URL, or place FILE in DIR)", or why no node brings it; the caller frees it. */
char *rf_artefact_text(const json_t *artefact);
