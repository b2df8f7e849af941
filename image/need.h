/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a build needs of the machine. Everything that is missing is said at once, before anything is written. */
#pragma once

#include "base/problem.h"

#include <stdint.h>

/* Root, and each tool of the table (image/need.c); `path` is a PATH to search (the environment's, with the sbin directories
 * added). Missing ones are added to `problems` with the package that has them. */
void rf_need_tools(const char *path, rf_problems *problems);
void rf_need_root(unsigned user, rf_problems *problems);

/* `bytes` of free room for `directory` (or the nearest directory above it that exists). */
void rf_need_room(const char *directory, uint64_t bytes, rf_problems *problems);

/* A file that must be there. */
void rf_need_file(const char *path, const char *advice, rf_problems *problems);
