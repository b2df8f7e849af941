/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The medium's checksums, compared in the background while the network comes up and the profile is fetched: reading the whole
 * medium takes seconds that the first write has to wait for.
 */
#pragma once

#include "base/step.h"

struct rf_medium_check;

/* Starts reading what every installation needs of it (struct rf_medium_choice); `medium` is copied. Never NULL: where no thread can be had, the check is made when it is waited for. */
struct rf_medium_check *rf_medium_check_start(const char *medium);

/* Blocks until it is through, then reads the recipes' images that the profile needs (NULL-terminated, or NULL), with progress of the
 * step at work, and says what rf_medium_verify said. The medium may have been pulled
 * since: a good result is believed only where the medium still answers (rf_medium_present), and one that is older than a minute not at
 * all: the medium is read again. May be repeated. */
int rf_medium_check_wait(struct rf_medium_check *check, char *const *images, struct rf_step_env *env, rf_error **err);

/* Waits for the thread. NULL is fine. */
void rf_medium_check_free(struct rf_medium_check *check);

static inline void rf_guard_medium_check(struct rf_medium_check **check)
{
    rf_medium_check_free(*check);
}

#define rf_automediumcheck RF_CLEANUP(rf_guard_medium_check)
