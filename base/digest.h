/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums (libcrypto). */
#pragma once

#include "base/error.h"

#include <stdint.h>

#define RF_SHA256_HEX 65 /* 64 digits and the NUL */

int rf_sha256_file(const char *path, char ret_hex[RF_SHA256_HEX], void (*progress)(void *data, uint64_t done),
                   void *data, rf_error **err);
void rf_sha256(const void *data, size_t size, char ret_hex[RF_SHA256_HEX]);
