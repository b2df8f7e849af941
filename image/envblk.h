/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB's environment block: 1024 bytes that begin with a fixed line, then NAME=value lines, the rest "#" (GRUB's
 * include/grub/lib/envblk.h; grub-editenv(1)). GRUB reads it by load_env.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define RF_ENVBLK_SIZE 1024

struct rf_envblk_variable {
    const char *name, *value;
};

/* The block. RF_FAILED where the variables do not fit or a name is no GRUB variable; newlines and backslashes in values are
 * escaped as GRUB does it. Pure. */
int rf_envblk_format(const struct rf_envblk_variable *variables, size_t count, char ret_block[RF_ENVBLK_SIZE],
                     rf_error **err);

/* Does the block begin as GRUB wants it? Pure. */
bool rf_envblk_valid(const char *block, size_t size);

/* The value of a variable (the first one counts, as in GRUB), unescaped; NULL where it is absent. The caller frees it. Pure. */
char *rf_envblk_get(const char *block, size_t size, const char *name);
