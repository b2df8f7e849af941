/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that are known by their SHA-256: fetched once, from the first of several places that has the right bytes. */
#pragma once

#include "base/fetch.h"
#include "base/step.h"

#include <stdint.h>

struct rf_download {
    const char *const *urls; /* tried in this order; NULL-terminated */
    const char *sha256;      /* 64 lower-case digits */
    const char *path;        /* where it gets its name when it is complete and right; its directory exists */
    uint64_t max;            /* bytes: a larger answer is refused before the disk is full of it */
    uint64_t room;           /* bytes that may be written now, beyond what an earlier run has left; 0: any number */
    unsigned pause_max;      /* seconds between attempts, at most; 0: 16 */
    unsigned seconds;        /* for all of it, the wait for somebody else's transfer too; 0: twelve hours */
    uint64_t heavy;          /* bytes from which on wrong content is not fetched again for a day; 0: 16 MiB */
};

/*
 * Brings the file to `path` (0600) where it is not there already with that checksum; 1 where it had to be fetched, 0 where it was there.
 * Three attempts per place; a transfer that was cut off goes on where it ended, in the next run too. Whoever else fetches the same file
 * is waited for. A transfer below 20 kB/s for a minute is given up. Of a heavy file with a wrong checksum is noted (".NAME.wrong" beside it)
 * where it came from: that place is not asked for it again before a day has passed, or another checksum is wanted, or the note is removed. Progress goes to the step at work. Errors are RF_FAILED and name every place that was tried, without its secrets;
 * *ret_fault (may be NULL) is what was wrong with the last one. A kill leaves ".NAME.part" beside it, which the next run takes up.
 */
int rf_download(const struct rf_download *download, struct rf_step_env *env, enum rf_fetch_fault *ret_fault,
                rf_error **err);

/* Where it lies until then: ".NAME.part" beside it. Pure; the caller frees it. */
char *rf_download_part(const char *path);

/* Reads the file and compares: 1 right, 0 wrong or not there; -1: it can't be read. Tells progress to the step at work. */
int rf_download_right(const char *path, const char *sha256, struct rf_step_env *env, rf_error **err);
