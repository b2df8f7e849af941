/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A suite's packages, unpacked into a directory by mmdebstrap(1). */
#pragma once

#include "base/step.h"

#include <stdbool.h>
#include <time.h>

/* The options that every mmdebstrap of ours has, then `packages`, hooks and the rest. */
struct rf_debstrap {
    const char *root; /* is made */
    const char *suite, *sources;
    const char *keyring;      /* for messages: `sources` name it already */
    const char *dpkg_options; /* a file: one dpkg option a line */
    char *const *packages;    /* NULL-terminated */
    const char *early; /* a tree that is copied in before packages beyond the essential ones are installed; or NULL */
    bool keep_lists;   /* the package lists stay in the root: more is installed from them later (image/install.h) */
    time_t date;
};

/* Runs it, with progress. Every package's files are unpacked without flushing: the cache's rename comes after. Where it fails,
 * the error holds the lines of its output that say why, and the last ones, a dozen at the most; a keyring without the suite's
 * key is RF_BAD_MACHINE and says what to install. Blocks for minutes; a kill leaves a part in `root`. */
int rf_debstrap(struct rf_step_env *env, const struct rf_debstrap *wanted, rf_error **err);
