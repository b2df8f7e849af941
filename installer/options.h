/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of a command: one table each, one row an option, read by getopt_long(3) and printed by `help`. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct rf_option {
    const char *name;  /* "machine", without the dashes; NULL ends a table */
    const char *value; /* what follows it, as the help calls it: "FILE"; NULL: nothing, it is a flag */
    const char *help;
    size_t offset; /* of its member in the command's own struct: bool for a flag, else const char * */
};

/* Rows. The comparison inside sizeof is never computed: it makes the compiler refuse a member of another type. */
#define RF_OPTION_FLAG(type, member, name, help)                                                                       \
    {                                                                                                                  \
        name, NULL, help, offsetof(type, member) + 0 * sizeof(&((type *)0)->member == (bool *)0)                       \
    }
#define RF_OPTION_TEXT(type, member, name, value, help)                                                                \
    {                                                                                                                  \
        name, value, help, offsetof(type, member) + 0 * sizeof(&((type *)0)->member == (const char **)0)               \
    }

/*
 * Reads argv[1…] into `target`, a struct whose members the rows name; members that no option names keep what they have. An
 * option may stand anywhere and be shortened as far as it stays the only one; of two the last counts; "--" ends the options.
 * Texts are borrowed from argv. What is no option is moved behind them (argv is reordered); *ret_words gets its first, and
 * the number of them is returned. -1, RF_USAGE: an option is unknown (with what was probably meant), lacks its value, or has
 * one that it does not take; an empty value counts as none, because it is a shell variable that was not set. `known` may be NULL.
 * Not for several threads: getopt_long keeps its place in variables of the process.
 */
int rf_options_parse(const struct rf_option *known, int argc, char **argv, void *target, char ***ret_words,
                     rf_error **err);

/* "  --machine FILE   plan for …" and so on, a line each, aligned; "" for a table without rows. The caller frees it. */
char *rf_options_text(const struct rf_option *known);
