/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the types of fields share. Only profiles/type_*.c include this. */
#pragma once

#include "profiles/schema.h"

/* The text of a value that must not be a list, a mapping or empty; NULL with a problem where it is. Owned by the node. */
const char *rf_scalar(const struct rf_place *place, const rf_node *node);

/* The children of a list with as many entries as the field allows; false with a problem where it is none. */
bool rf_list(const struct rf_place *place, const rf_node *node);

/* A text by the field's pattern, which the caller frees; NULL with a problem. */
char *rf_take_text(const struct rf_place *place, const rf_node *node);

/* The release of every type whose target is one char *. */
void rf_release_text(const struct rf_field *field, void *object);

/* A string with the pattern's expression and length; the caller owns it. */
json_t *rf_schema_pattern(const struct rf_pattern *pattern);
