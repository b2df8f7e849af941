/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Artefacts that a guest's image lacks: what its recipe needs and Debian does not carry, and what could not be had when the ISO was built.
 * The ISO's manifest says which, from where, and with what checksum; the installer leaves that list beside the images. The node brings the
 * file (from a folder that a person filled, from the publisher, from mirrors), and hands it to the guest on a drive of its own at the
 * first boot: read-only ISO 9660 with the label RF_ARTEFACTS_LABEL, the files and a manifest.json. The guest unpacks them
 * where the image build would have (guest.py, `artefacts`), and its recipe's own build command runs there.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

#define RF_ARTEFACTS_LABEL "artefacts"

/* The list that the installer left on this node: an array, the caller owns it. NULL: none is there, or it can't be read. */
json_t *rf_artefacts_known(const char *root);

/* "nextcloud 34.0.4, nextcloud-tasks 0.18.1": what the guest's image lacks and could be had; NULL: nothing. The caller frees it. Pure. */
char *rf_artefact_lacking(const struct rf_node_guest *guest);

/* What a guest that has not come up yet waits for, an array of texts: "waiting for artefact NAME VERSION (URL, or place FILE in DIR)". Not
 * what it can be without. Of what is at hand for the next run it says that. Empty when the guest's drive is written. The caller owns it.
 * Looks at names of files only. */
json_t *rf_artefact_waiting(const struct rf_node_guest *guest);

/* The same for all guests of a profile, each text with its guest's name in front. `artefacts` is the list of a node or of a medium; `facts`
 * (or NULL) are those of the node that is looked at, where that is another machine: its settled guests wait for nothing. */
json_t *rf_artefact_notes(const rf_profile *profile, const json_t *artefacts, const json_t *facts);

/*
 * Brings what the guest's image lacks, each compared with its checksum, and with its signature where the key lies in RF_KEYS_DIR; then
 * writes the guest's drive. What the guest can be without, and can't be had, is said and left out. Argument: rf_node_guest. A kill leaves
 * a part of a file, which the next run goes on with.
 */
extern const struct rf_step_ops rf_step_artefact;

/* Removes the guest's drive and the note beside it. Repeatable. */
int rf_artefact_drop_drive(const struct rf_node_guest *guest, rf_error **err);

/* Removes what was fetched and is needed by no guest of the profile that has yet to come up; what a person placed stays. Where the node has no
 * list of artefacts nothing is removed. What can't be removed is tried again with the next guest that settles. */
void rf_artefact_tidy(const rf_node_model *model);
