/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree of a YAML document: looking up and freeing. */
#include "profiles/node.h"

#include <string.h>

bool rf_node_empty(const rf_node *node)
{
    if (node->kind != RF_NODE_TEXT || !node->plain)
        return false;
    return !*node->text || !strcmp(node->text, "~") || !strcmp(node->text, "null");
}

static const rf_node *child_named(const rf_node *map, const char *key, size_t length)
{
    if (map->kind != RF_NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (!strncmp(map->children[i].key, key, length) && !map->children[i].key[length])
            return &map->children[i];
    return NULL;
}

const rf_node *rf_node_child(const rf_node *map, const char *key)
{
    return child_named(map, key, strlen(key));
}

/* One part of a path, "memory" or "[1]"; *path is moved behind it and its separator. */
static const rf_node *step_down(const rf_node *node, const char **path)
{
    const char *part = *path;
    if (*part == '[') {
        char *end = NULL;
        unsigned long index = strtoul(part + 1, &end, 10);
        *path = end + strspn(end, "].");
        return node->kind == RF_NODE_LIST && index < node->count ? &node->children[index] : NULL;
    }
    size_t length = strcspn(part, ".[");
    *path = part + length + (part[length] == '.');
    return child_named(node, part, length);
}

/* The node at `path`, or the nearest one around it. */
static const rf_node *find(const rf_node *root, const char *path, bool *ret_exact)
{
    const rf_node *node = root;
    const rf_node *below = root;
    while (*path && (below = step_down(node, &path)))
        node = below;
    *ret_exact = below != NULL;
    return node;
}

static void locate(const rf_node *node, bool key, unsigned *ret_line, unsigned *ret_column)
{
    key = key && node->key_line;
    *ret_line = key ? node->key_line : node->line;
    *ret_column = key ? node->key_column : node->column;
}

void rf_node_locate(const rf_node *root, const char *path, unsigned *ret_line, unsigned *ret_column)
{
    bool exact;
    const rf_node *node = find(root, path, &exact);
    locate(node, !exact, ret_line, ret_column);
}

void rf_node_locate_key(const rf_node *root, const char *path, unsigned *ret_line, unsigned *ret_column)
{
    bool exact;
    locate(find(root, path, &exact), true, ret_line, ret_column);
}

static void clear(rf_node *node)
{
    for (size_t i = 0; i < node->count; i++)
        clear(&node->children[i]);
    free(node->children);
    free(node->text);
    free(node->key);
}

void rf_node_free(rf_node *node)
{
    if (!node)
        return;
    clear(node);
    free(node);
}
