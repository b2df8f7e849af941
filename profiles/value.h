/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values of a YAML tree as JSON. Plain scalars mean what YAML 1.2's JSON schema says (10.2), so `no` and `0123` stay text.
 */
#pragma once

#include "profiles/node.h"

#include <jansson.h>

/* One scalar: true, false, a number, or text. The caller owns it. */
json_t *rf_scalar_json(const rf_node *node);

/* A whole tree; what is empty becomes null. As deep as the document was allowed to be. The caller owns it. */
json_t *rf_node_json(const rf_node *node);
