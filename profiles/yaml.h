/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML text to a tree (libyaml): one document, bounded in every direction, without anchors, aliases and tags. */
#pragma once

#include "base/problem.h"
#include "profiles/node.h"

#define RF_YAML_DEPTH_MAX 16 /* lists and mappings inside each other; a profile needs 5 and guests' settings a few */
#define RF_YAML_CHILDREN_MAX 1000 /* entries of one list or mapping */

/* Reads `size` bytes (the caller bounds them); `name` is what messages call the text. NULL where it is no such document, with
 * one problem at its position. Pure. */
rf_node *rf_yaml_read(const char *name, const char *text, size_t size, rf_problems *problems);
