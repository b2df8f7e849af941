/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums (libcrypto). */
#pragma once

#include "base/error.h"

#include <stdint.h>

#define RF_SHA256_HEX 65 /* 64 digits and the NUL */

/* Of a file, as 64 lower-case digits and a NUL. `progress` may be NULL. Blocks while it reads. */
int rf_sha256_file(const char *path, char ret_hex[RF_SHA256_HEX], void (*progress)(void *data, uint64_t done),
                   void *data, rf_error **err);

/* Of `size` bytes of a file from `offset` on; fewer are RF_FAILED. */
int rf_sha256_part(const char *path, uint64_t offset, uint64_t size, char ret_hex[RF_SHA256_HEX], rf_error **err);

/* Of bytes in memory. */
void rf_sha256(const void *data, size_t size, char ret_hex[RF_SHA256_HEX]);
