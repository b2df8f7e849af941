/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a disk image from elsewhere says of itself, read by this program alone: before any tool opens it. A qcow2 can name further files
 * (a backing file, an external data file), and a tool that opens it opens those, too; a format that is guessed can be chosen by whoever
 * wrote the first bytes.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>

/* Is the file a whole image of `format` ("qcow2" or "raw") that stands for itself? Then *ret_size is its disk's size in bytes. Else
 * RF_FAILED with one sentence that begins with "it": what it is instead, and what to do. Reads a few blocks. */
int rf_image_header(const char *path, const char *format, uint64_t *ret_size, rf_error **err);
