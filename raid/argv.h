/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command's argv that grows word by word. The words are borrowed and must outlive it. */
#pragma once

#include "base/command.h"
#include "base/memory.h"

struct rf_argv {
    const char **words; /* NULL-terminated once rf_argv_end or rf_argv_run has been called */
    size_t count;
};

static inline void rf_argv_clear(struct rf_argv *argv)
{
    free(argv->words);
    *argv = (struct rf_argv){0};
}
#define rf_autoargv RF_CLEANUP(rf_argv_clear)

static inline void rf_argv_add(struct rf_argv *argv, const char *word)
{
    *(const char **)rf_array_add(&argv->words, &argv->count, sizeof(*argv->words)) = word;
}

/* All words of a NULL-terminated list. */
static inline void rf_argv_list(struct rf_argv *argv, const char *const *words)
{
    for (; *words; words++)
        rf_argv_add(argv, *words);
}

/* Ends it and runs it; `seconds` as in struct rf_command. Once only. */
static inline int rf_argv_run(rf_runner *runner, struct rf_argv *argv, unsigned seconds, rf_error **err)
{
    rf_argv_add(argv, NULL);
    rf_autoresult struct rf_result result = {0};
    return rf_run(runner, &(struct rf_command){.argv = argv->words, .seconds = seconds}, &result, err);
}
