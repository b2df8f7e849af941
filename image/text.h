/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small edits of text files in a root file system, never writing into a file that may be hard-linked. */
#pragma once

#include "base/error.h"

#include <time.h>

/* Removes the lines of ROOT/PATH that are exactly `line`. An absent file is fine. */
int rf_text_drop_line(const char *root, const char *path, const char *line, rf_error **err);

/* `template` with each "@NAME@" of `values` replaced; values come in pairs (name, value), NULL-terminated. The caller frees it.
 * Pure. */
char *rf_text_fill(const char *template, const char *const *values);

/* The same from a file into another (0644, dated). */
int rf_text_fill_file(const char *from, const char *to, const char *const *values, time_t date, rf_error **err);
