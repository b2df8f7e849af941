/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Allocation that cannot fail: an installer that cannot get a few bytes cannot go on either, and a half-handled
 * allocation failure is worse than a clean abort, which the reporter (base/event_report.h) turns into a `failed`.
 * Only for our own small structures; sizes that come from outside are bounded first.
 */
#pragma once

#include "base/guard.h"

#include <stdarg.h>
#include <stddef.h>

/* Zeroed memory; the caller frees it. */
void *rf_alloc(size_t size);

/* Grows `array` (of `size`-byte elements, `*count` in use) by one zeroed element and returns its address. The capacity is
 * derived from the count (powers of two), so no third variable is kept. */
void *rf_array_add(void *array_pointer, size_t *count, size_t size);

char *rf_strdup(const char *text);                                      /* NULL stays NULL */
char *rf_format(const char *format, ...) RF_PRINTF(1, 2);               /* asprintf that cannot fail */
char *rf_format_list(const char *format, va_list args) RF_PRINTF(1, 0); /* for functions with `...` themselves */
void rf_append(char **text, const char *format, ...) RF_PRINTF(2, 3);   /* grows *text (NULL is empty) */

/* Overwrites before freeing (explicit_bzero(3)): for passwords and keys. NULL is fine. */
void rf_free_secret(char *secret);

static inline void rf_guard_secret(char **secret)
{
    rf_free_secret(*secret);
}

#define rf_autosecret RF_CLEANUP(rf_guard_secret)
