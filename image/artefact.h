/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Artefacts: what recipes need and Debian does not carry. One manifest (image/data/artefacts.yaml) pins each by version and SHA-256;
 * a download is used only when it has that checksum. One without a checksum yet is never fetched by itself.
 */
#pragma once

#include "base/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RF_ARTEFACT_MAX (UINT64_C(2) << 30) /* bytes; what the manifest says beyond this is a mistake */

struct rf_artefact {
    char *name, *title, *version, *licence;
    char *file;     /* NAME-VERSION.FORMAT: what it is called by hand, on a mirror, and in the cache */
    char *url;      /* where its publisher has it */
    char **mirrors; /* NULL-terminated: other places, tried in this order after it */
    char *sha256;   /* 64 lower-case digits; NULL: nobody has confirmed one ("unknown") */
    char *format;   /* "tar.bz2", "tar.gz", "tar.xz", "zip", "file" (used as it is) */
    unsigned strip; /* leading directories that are left out */
    uint64_t size;  /* bytes: a larger answer is refused */
    char *signature_url, *signature_key; /* OpenPGP, detached; the key's fingerprint. Both or none */
    unsigned line, column;               /* of sha256's value in the manifest, for pinning */
};

struct rf_artefacts {
    char *file; /* the manifest */
    struct rf_artefact *items;
    size_t count;
};

void rf_artefacts_clear(struct rf_artefacts *artefacts);
#define rf_autoartefacts RF_CLEANUP(rf_artefacts_clear)

/* Reads the manifest; what is wrong in it is added to `problems` with its position. A file that is not there is an empty
 * manifest. */
void rf_artefacts_read(const char *file, struct rf_artefacts *ret_artefacts, rf_problems *problems);

/* The same from a text: for tests. Pure. */
void rf_artefacts_parse(const char *file, const char *text, size_t size, struct rf_artefacts *ret_artefacts,
                        rf_problems *problems);

/* By name, or NULL. */
const struct rf_artefact *rf_artefact_named(const struct rf_artefacts *artefacts, const char *name);

/* Writes `sha256` in place of "unknown" into the manifest's line of that artefact, atomically, everything else byte for byte as it was.
 * RF_FAILED where the file is no longer as it was read, or has a checksum already: that one is changed by a person. */
int rf_artefact_pin(const struct rf_artefacts *artefacts, const struct rf_artefact *artefact, const char *sha256,
                    rf_error **err);
