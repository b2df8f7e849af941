/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields that are any mapping (guests' settings): to JSON, checked later by whoever knows what belongs there. */
#include "base/memory.h"
#include "profiles/text.h"
#include "profiles/type.h"
#include "profiles/value.h"

#include <string.h>

#define KEY_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

static json_t *node_json(const struct rf_place *place, const rf_node *node);

static bool good_key(const struct rf_place *place, const rf_node *map, const rf_node *child)
{
    const char *key = child->key;
    if (rf_node_child(map, key) != child) {
        rf_parse_problem(place->parse, child->key_line, child->key_column, place->path, "given twice");
        return false;
    }
    if (*key && strlen(key) <= 64 && strspn(key, KEY_LETTERS) == strlen(key))
        return true;
    rf_parse_problem(place->parse, child->key_line, child->key_column, place->path,
                     "a key of settings has 1 to 64 letters, digits, \"_\" and \"-\"");
    return false;
}

static json_t *map_json(const struct rf_place *place, const rf_node *map)
{
    json_t *json = json_object();
    for (size_t i = 0; i < map->count; i++) {
        const rf_node *child = &map->children[i];
        rf_autofree char *shown = rf_shown(child->key);
        rf_autofree char *path = rf_format("%s.%s", place->path, shown);
        struct rf_place below = *place;
        below.path = path;
        if (good_key(&below, map, child))
            json_object_set_new(json, child->key, node_json(&below, child));
    }
    return json;
}

static json_t *list_json(const struct rf_place *place, const rf_node *list)
{
    json_t *json = json_array();
    for (size_t i = 0; i < list->count; i++) {
        rf_autofree char *path = rf_format("%s[%zu]", place->path, i);
        struct rf_place below = *place;
        below.path = path;
        json_array_append_new(json, node_json(&below, &list->children[i]));
    }
    return json;
}

/* Recursive, as deep as RF_YAML_DEPTH_MAX lets a document be. */
static json_t *node_json(const struct rf_place *place, const rf_node *node)
{
    if (node->kind == RF_NODE_MAP)
        return map_json(place, node);
    if (node->kind == RF_NODE_LIST)
        return list_json(place, node);
    if (rf_node_empty(node))
        rf_place_problem(place, node, "has no value; write one or leave the key out");
    return rf_scalar_json(node);
}

static void parse_free(const struct rf_place *place, const rf_node *node)
{
    const struct rf_field *field = place->field;
    if (node->kind == RF_NODE_MAP)
        *(json_t **)RF_TARGET(field, place->object) = map_json(place, node);
    else
        rf_place_problem(place, node, "must be a mapping; write for example `%s: %s`", rf_field_key(field),
                         field->example);
}

static void release_free(const struct rf_field *field, void *object)
{
    json_decref(*(json_t **)RF_TARGET(field, object));
}

static json_t *schema_free(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    (void)field;
    return json_pack("{ss s{ss}}", "type", "object", "propertyNames", "pattern", "^[A-Za-z0-9_-]{1,64}$");
}

static char *describe_free(const struct rf_field *field)
{
    (void)field;
    return rf_strdup("mapping of the recipe's own settings");
}

const struct rf_type rf_type_free = {"free", parse_free, release_free, schema_free, describe_free};
