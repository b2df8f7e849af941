/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A list of problems: whoever checks says all of them, not just the first. Used for the profile (with positions) and for
 * the machine that does not fit.
 */
#pragma once

#include "base/error.h"

struct rf_problem {
    char *file;            /* or NULL */
    unsigned line, column; /* from 1; 0: no position */
    char *key;             /* "storage.disks.count", or NULL */
    char *text;            /* what is wrong; what to write instead */
};

typedef struct rf_problems {
    struct rf_problem *items;
    size_t count;
} rf_problems;

void rf_problems_clear(rf_problems *problems);
#define rf_autoproblems RF_CLEANUP(rf_problems_clear)

/* Adds one. `file` and `key` are copied and may be NULL. */
void rf_problem_at(rf_problems *problems, const char *file, unsigned line, unsigned column, const char *key,
                   const char *format, ...) RF_PRINTF(6, 7);

/* Without a position. */
void rf_problem(rf_problems *problems, const char *key, const char *format, ...) RF_PRINTF(3, 4);

/* One line per problem, sorted by position: `FILE:LINE:COLUMN: error: key.path: text`, parts that are absent left out. The caller
 * frees it. */
char *rf_problems_text(const rf_problems *problems);
