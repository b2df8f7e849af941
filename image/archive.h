/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state of the Debian archive that an image is built from. It is asked once and kept in the cache, so that a build next
 * week takes the packages that are there already instead of making everything again; `--refresh` asks anew.
 */
#pragma once

#include "base/command.h"
#include "image/cache.h"

#include <stdbool.h>
#include <time.h>

struct rf_archive {
    char *sources; /* lines for sources.list: suite, SUITE-updates and SUITE-security as far as they can be reached */
    char *state;   /* SHA-256 over what the archive's InRelease files said */
    time_t date;   /* the newest of their dates; 0: none was found */
    struct rf_piece piece; /* where it is kept */
};

void rf_archive_clear(struct rf_archive *archive);

struct rf_archive_options {
    const char *cache, *suite, *keyring;
    const char *mirror;   /* "https://…/debian" */
    const char *security; /* or NULL: there is none */
    bool refresh;
};

/* From the cache, or from the mirror through apt's own transport (so proxies and credentials of the machine count). Fails
 * (RF_BAD_MACHINE) where the suite itself can't be reached; without updates or security the build goes on without them. */
int rf_archive_open(const struct rf_archive_options *options, rf_runner *runner, struct rf_archive *ret_archive,
                    rf_error **err);

/* The value of "Date:" in an InRelease file, as UTC seconds; 0 where there is none. Pure. */
time_t rf_archive_date(const char *release);
