/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scope guards: what a function acquires is released on every way out of it, so that no function needs a second exit
 * path. Every destructor in this project takes NULL (or -1) and is then a no-op.
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RF_CLEANUP(function) __attribute__((cleanup(function)))

/* Hands a guarded pointer on: yields its value and leaves NULL behind, so that the guard frees nothing. */
#define RF_STEAL(pointer)                                                                                              \
    ({                                                                                                                 \
        __typeof__(pointer) rf_stolen_ = (pointer);                                                                    \
        (pointer) = NULL;                                                                                              \
        rf_stolen_;                                                                                                    \
    })

#define RF_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RF_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

/* Defines rf_guard_NAME for `TYPE *` variables whose destructor is FREE: RF_GUARD(rf_plan, rf_plan_free). */
#define RF_GUARD(type, release)                                                                                        \
    static inline void rf_guard_##type(type **pointer)                                                                 \
    {                                                                                                                  \
        release(*pointer);                                                                                             \
    }                                                                                                                  \
    _Static_assert(1, "")

static inline void rf_guard_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void rf_guard_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void rf_guard_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static inline void rf_guard_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

#define rf_autofree RF_CLEANUP(rf_guard_free)
#define rf_autofd RF_CLEANUP(rf_guard_fd)
#define rf_autofile RF_CLEANUP(rf_guard_file)
#define rf_autodir RF_CLEANUP(rf_guard_dir)
