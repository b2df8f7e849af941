/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where artefacts are: in the cache, as pieces whose key is their checksum. They come there from a folder that a person filled, from
 * a mirror of one's own, from the publisher, from the manifest's mirrors: the first that has the right bytes.
 */
#pragma once

#include "base/step.h"
#include "image/artefact.h"
#include "image/cache.h"

struct rf_artefact_store {
    const char *cache;  /* the caller holds its lock wherever something is fetched */
    const char *folder; /* files put there by hand, named as rf_artefact.file */
    const char *mirror; /* "https://…": MIRROR/FILE is tried before the publisher's; or NULL */
    const char *keys;   /* a folder: FINGERPRINT.asc each, what signatures are checked with */
    char **dead;        /* hosts that did not answer: not asked again by this store */
    size_t dead_count;
};

/* Frees what the store itself collected. */
void rf_artefact_store_clear(struct rf_artefact_store *store);
#define rf_autoartefactstore RF_CLEANUP(rf_artefact_store_clear)

enum rf_artefact_state {
    RF_ARTEFACT_READY,    /* in the cache, its checksum was right when it came there */
    RF_ARTEFACT_BY_HAND,  /* in the folder; nobody has looked into it yet */
    RF_ARTEFACT_ABSENT,   /* has to be fetched */
    RF_ARTEFACT_UNPINNED, /* the manifest has no checksum for it: never fetched */
};

/* Looks at names only. */
enum rf_artefact_state rf_artefact_look(const struct rf_artefact_store *store, const struct rf_artefact *artefact);

/* "ready", "by hand", "absent", "unpinned". */
const char *rf_artefact_state_name(enum rf_artefact_state state);

/* Its piece in the cache, sealed; the caller clears it. Only for one with a checksum. */
void rf_artefact_piece(const struct rf_artefact_store *store, const struct rf_artefact *artefact,
                       struct rf_piece *ret_piece);

/* The file in the cache, whether it is there or not. The caller frees it. */
char *rf_artefact_path(const struct rf_artefact_store *store, const struct rf_artefact *artefact);

/*
 * Brings it into the cache: nothing where it is there. What is found has to have the manifest's SHA-256, and, where the
 * manifest names a signature and the key and sqv(1) are there, a good signature. Three attempts per place, a minute for a host that
 * does not answer, an hour for a transfer. Errors say every place that was tried. A kill leaves a ".new-…" of the cache.
 */
int rf_artefact_fetch(struct rf_artefact_store *store, const struct rf_artefact *artefact, struct rf_step_env *env,
                      rf_error **err);

/* Fetches one without a checksum from the first place that answers and says what it has: for pinning, which is a person's word.
 * *ret_sha256 is the caller's; *ret_signed: its signature was checked and good. The file is in the cache under that
 * checksum. */
int rf_artefact_fetch_unpinned(struct rf_artefact_store *store, const struct rf_artefact *artefact,
                               struct rf_step_env *env, char ret_sha256[RF_SHA256_HEX], bool *ret_signed,
                               rf_error **err);

/* Reads the cached file again and compares. *ret_note (the caller frees it): what was and what was not checked. */
int rf_artefact_verify(const struct rf_artefact_store *store, const struct rf_artefact *artefact, rf_runner *runner,
                       char **ret_note, rf_error **err);

/* What a person can do about one that is not there: "fetch it from URL, or place FILE in FOLDER". The caller frees it. */
char *rf_artefact_advice(const struct rf_artefact_store *store, const struct rf_artefact *artefact);
