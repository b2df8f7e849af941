/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a file lies inside an ISO image (libisofs). */
#pragma once

#include "base/error.h"

#include <stdint.h>

struct rf_isofile {
    const char *path; /* in the ISO, from its top; set by the caller */
    uint64_t offset;  /* bytes from the image's start; 0: it is not in the ISO */
    uint64_t size;
};

/* Fills offset and size of `count` files in one look. Reads the directories only. RF_BAD_MACHINE where `iso` is no ISO 9660
 * image. A file in several pieces counts as absent: the builder makes none. Not for several threads at once (libisofs has one set
 * of options for the process). */
int rf_isofile_find(const char *iso, struct rf_isofile *files, size_t count, rf_error **err);

/* The content of one file, NUL-terminated, the caller frees it; larger than `max` is an error. */
int rf_isofile_read(const char *iso, const struct rf_isofile *file, size_t max, char **ret_bytes, rf_error **err);
