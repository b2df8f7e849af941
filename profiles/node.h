/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A YAML document as a tree that remembers where everything stands. Values stay text: the schema decides what they mean. */
#pragma once

#include "base/guard.h"

#include <stdbool.h>
#include <stddef.h>

enum rf_node_kind { RF_NODE_TEXT, RF_NODE_LIST, RF_NODE_MAP };

typedef struct rf_node {
    enum rf_node_kind kind;
    unsigned line, column;         /* of the value, from 1 */
    char *key;                     /* in a mapping; else NULL */
    unsigned key_line, key_column; /* 0 where there is no key */
    char *text;                    /* of RF_NODE_TEXT, never NULL there */
    bool plain;                    /* written without quotes: may be a number, a boolean or nothing */
    struct rf_node *children;      /* of lists and mappings, in the order of the file */
    size_t count;
} rf_node;

/* Nothing is written there: `key:`, `key: ~` or `key: null`. */
bool rf_node_empty(const rf_node *node);

/* The first child with that key; NULL where there is none, or where `map` is no mapping. */
const rf_node *rf_node_child(const rf_node *map, const char *key);

/* Where `path` ("guests[1].memory") stands: its value, or, where the file does not have it, the key (or start) of the
 * nearest mapping around it. Always answers something inside the document. */
void rf_node_locate(const rf_node *root, const char *path, unsigned *ret_line, unsigned *ret_column);

/* The same, but at its key where it has one. */
void rf_node_locate_key(const rf_node *root, const char *path, unsigned *ret_line, unsigned *ret_column);

/* Frees a node and all below it; the depth was bounded when it was read. NULL is fine. */
void rf_node_free(rf_node *node);
RF_GUARD(rf_node, rf_node_free);
#define rf_autonode RF_CLEANUP(rf_guard_rf_node)
