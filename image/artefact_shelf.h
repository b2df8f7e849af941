/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The artefacts as a person deals with them (`richtfest artefact …`): the manifest, where they are, and who wants them. */
#pragma once

#include "image/artefact_store.h"
#include "image/image.h"

typedef struct rf_artefact_shelf rf_artefact_shelf;

/* Reads the manifest and the recipes. Of the options count cache, source, data, recipes, artefacts and artefact_mirror. With
 * `change` the cache is made and locked until the shelf is freed: for fetching. */
int rf_artefact_shelf_open(const struct rf_image_options *options, bool change, rf_artefact_shelf **ret_shelf,
                           rf_error **err);
void rf_artefact_shelf_free(rf_artefact_shelf *shelf);
RF_GUARD(rf_artefact_shelf, rf_artefact_shelf_free);
#define rf_autoshelf RF_CLEANUP(rf_guard_rf_artefact_shelf)

/* Borrowed from the shelf. */
const struct rf_artefacts *rf_artefact_shelf_manifest(const rf_artefact_shelf *shelf);
struct rf_artefact_store *rf_artefact_shelf_store(rf_artefact_shelf *shelf);

/* Everything about one, for programs: what its manifest says, "state", "recipes", "path" where it is in the cache. The caller owns
 * it. */
json_t *rf_artefact_shelf_json(const rf_artefact_shelf *shelf, const struct rf_artefact *artefact);

/* The same for people: some lines. The caller frees it. */
char *rf_artefact_shelf_text(const rf_artefact_shelf *shelf, const struct rf_artefact *artefact);

/* Fetches one and tells of it in events. `pin`: where the manifest has no checksum, that of what was fetched is written into it,
 * with a word about how far it can be trusted in *ret_note (the caller frees it; NULL: nothing was pinned). */
int rf_artefact_shelf_fetch(rf_artefact_shelf *shelf, const struct rf_artefact *artefact, bool pin, rf_runner *runner,
                            rf_events *events, char **ret_note, rf_error **err);
