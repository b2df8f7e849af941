/* SPDX-License-Identifier: GPL-3.0-or-later */
/* jansson with our guards and errors. */
#pragma once

#include "base/error.h"

#include <jansson.h>

static inline void rf_guard_json(json_t **json)
{
    json_decref(*json);
}

#define rf_autojson RF_CLEANUP(rf_guard_json)

/* A document from a file, at most `max` bytes. */
json_t *rf_json_load(const char *path, size_t max, rf_error **err);

/* Indented, keys in the order in which they were set, newline at the end; the caller frees it. */
char *rf_json_text(const json_t *json);

/* A string member or NULL; an integer member or `fallback`. */
const char *rf_json_string(const json_t *object, const char *key);
json_int_t rf_json_integer(const json_t *object, const char *key, json_int_t fallback);
