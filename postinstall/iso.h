/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small ISO 9660 image (libisofs): what comes from memory never touches a directory. */
#pragma once

#include "base/error.h"

#include <stddef.h>

struct rf_iso_file {
    const char *name;
    const char *text; /* copied; or NULL: */
    const char *path; /* a file of this machine, read while the image is written */
};

/* Writes `path` (mode 0600, atomically: a kill leaves the old file, the new one, or ".NAME.new"). `label` is the volume's name. */
int rf_iso_write(const char *path, const char *label, const struct rf_iso_file *files, size_t count, rf_error **err);
