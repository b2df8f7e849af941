/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the profile's design has and this version does not: said as such, not as an unknown key. */
#pragma once

#include "profiles/schema.h"

struct rf_unsupported {
    const char *key;   /* "storage.disks.spares" */
    const char *value; /* NULL: the key itself. "raid5": this value. "{}": any mapping. "*": any value that is not close
                            to a known one */
    const char *instead; /* what to do now */
};

extern const struct rf_unsupported rf_unsupported_table[];
extern const size_t rf_unsupported_count;

/* The row for a key, or NULL. */
const struct rf_unsupported *rf_unsupported_key(const char *path);

/* Reports a value (exactly that one, or a mapping) that is not supported; false where there is no such row. */
bool rf_unsupported_value(const struct rf_place *place, const rf_node *node);

/* The same for "*" rows, asked last. */
bool rf_unsupported_any(const struct rf_place *place, const rf_node *node);
