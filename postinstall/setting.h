/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The types that a recipe's settings can have: one row each, with the check of a value. */
#pragma once

#include <jansson.h>
#include <stddef.h>

struct rf_setting_type {
    const char *name;
    const char *example;
    /* NULL where the value is fine, else what is wrong with it ("is not …"; a constant). */
    const char *(*wrong)(const json_t *value);
};

/* NULL for an unknown name. */
const struct rf_setting_type *rf_setting_type(const char *name);

/* "boolean, host, …": for messages. The caller frees it. */
char *rf_setting_type_names(void);
