/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes and times as people write them. */
#pragma once

#include "base/error.h"

#include <stdint.h>
#include <time.h>

#define RF_KIB (UINT64_C(1) << 10)
#define RF_MIB (UINT64_C(1) << 20)
#define RF_GIB (UINT64_C(1) << 30)
#define RF_TIB (UINT64_C(1) << 40)

/* "4 TB", "512MiB", "2 GB", "4096 B": a number (fractions allowed), an optional blank, a unit. kB, MB, GB, TB, PB are powers
 * of 1000, as disks are sold; KiB … PiB are powers of 1024. A number without a unit is refused: nobody knows what it means. */
int rf_parse_size(const char *text, uint64_t *ret_bytes, rf_error **err);

/* "4.00 TB": decimal, three significant digits; for people. The caller frees it. */
char *rf_size_text(uint64_t bytes);

/* "1.5 GiB": binary; for memory and guests' disks. */
char *rf_size_text_binary(uint64_t bytes);

/* "7.2 s", "3 min 05 s". */
char *rf_seconds_text(double seconds);

/* "2026-11-21 14:02 UTC". The caller frees it. */
char *rf_date_text(time_t date);

/* CLOCK_MONOTONIC in seconds. */
double rf_now(void);
