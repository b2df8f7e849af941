/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Did you mean …?" */
#pragma once

#include <stddef.h>

/* Longer words get no suggestion: the cost is quadratic, and no key is that long. */
#define RF_SUGGEST_MAX 64

/* How many letters one has to add, drop, change or swap with their neighbour (optimal string alignment), not counting case. For
 * words up to RF_SUGGEST_MAX bytes; SIZE_MAX for longer ones. */
size_t rf_edit_distance(const char *left, const char *right);

/* The candidate that was probably meant: at most a third of its letters differ, else the only one that contains the word (three
 * letters or more). NULL: none is near. The first of several equally near ones. NULL entries of `candidates` are skipped. */
const char *rf_suggest(const char *word, const char *const *candidates, size_t count);
