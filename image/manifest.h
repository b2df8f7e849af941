/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manifest of an image: the text that says what is on it (image/medium.h reads it back). */
#pragma once

#include "base/json.h"
#include "image/medium.h"

#include <time.h>

struct rf_manifest_packages {
    const char *of;   /* "node", "guest/active-directory", "loaders" */
    const char *list; /* "PACKAGE VERSION" lines */
};

struct rf_manifest {
    const char *version, *suite, *kernel;
    time_t date;
    const char *archive; /* state of the archive */
    const char *sources;
    const struct rf_payload *payloads; /* complete */
    size_t payloads_count;
    const struct rf_manifest_packages *packages;
    size_t packages_count;
    json_t *artefacts; /* what recipes have, or wait for, of what Debian does not carry; borrowed */
};

/* The same input gives the same bytes. The caller drops the reference. Pure. */
json_t *rf_manifest_json(const struct rf_manifest *manifest);

/* "2026-11-21T02:30:00Z". `ret` has 21 bytes. Pure. */
void rf_manifest_date(time_t date, char ret[21]);

/* The ISO's volume id in blkid's form "2026-11-21-02-30-00-00", made of the manifest's SHA-256 so that every image has its own, and the 16
 * digits that xorriso wants. Pure. */
void rf_manifest_volume(const char *digest, time_t date, char ret_id[23], char ret_digits[17]);
