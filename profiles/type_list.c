/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields that hold others: groups, lists of text, lists of objects. */
#include "base/memory.h"
#include "profiles/type.h"

#include <inttypes.h>

static void parse_group(const struct rf_place *place, const rf_node *node)
{
    const struct rf_field *field = place->field;
    if (rf_node_empty(node))
        rf_place_problem(place, node, "nothing is written here; indent its keys below it, or leave it out");
    else if (node->kind != RF_NODE_MAP)
        rf_place_problem(place, node, "must be a mapping; write `%s:` and its keys indented below it",
                         rf_field_key(field));
    else
        rf_parse_map(place->parse, place->table, field, place->object, place->path, node);
}

static json_t *schema_group(const struct rf_table *table, const struct rf_field *field)
{
    return rf_schema_map(table, field);
}

static char *describe_group(const struct rf_field *field)
{
    (void)field;
    return rf_strdup("mapping");
}

const struct rf_type rf_type_group = {"group", parse_group, NULL, schema_group, describe_group};

static size_t *count_of(const struct rf_field *field, void *object)
{
    return (size_t *)((char *)object + field->count_offset);
}

/* The place of one entry; the caller frees its path. */
static struct rf_place entry_place(const struct rf_place *place, size_t index)
{
    struct rf_place entry = *place;
    entry.path = rf_format("%s[%zu]", place->path, index);
    return entry;
}

static void parse_texts(const struct rf_place *place, const rf_node *node)
{
    char ***texts = RF_TARGET(place->field, place->object);
    if (!rf_list(place, node))
        return;
    for (size_t i = 0; i < node->count; i++) {
        struct rf_place entry = entry_place(place, i);
        char *text = rf_take_text(&entry, &node->children[i]);
        if (text)
            *(char **)rf_array_add(texts, count_of(place->field, place->object), sizeof(*texts)) = text;
        free((char *)entry.path);
    }
}

static void release_texts(const struct rf_field *field, void *object)
{
    char **texts = *(char ***)RF_TARGET(field, object);
    for (size_t i = 0; i < *count_of(field, object); i++)
        free(texts[i]);
    free(texts);
}

static json_t *list_schema(const struct rf_field *field, json_t *items)
{
    return json_pack("{ss so sI sI}", "type", "array", "items", items, "minItems", (json_int_t)field->min, "maxItems",
                     (json_int_t)field->max);
}

static json_t *schema_texts(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    return list_schema(field, rf_schema_pattern(field->pattern));
}

static char *describe_texts(const struct rf_field *field)
{
    return rf_format("list of %" PRIu64 " to %" PRIu64 ": %s", field->min, field->max, field->pattern->name);
}

const struct rf_type rf_type_texts = {"texts", parse_texts, release_texts, schema_texts, describe_texts};

static void parse_object(const struct rf_place *entry, const rf_node *node, void *object)
{
    const struct rf_table *table = entry->field->element;
    if (table->line_offset) {
        *(unsigned *)((char *)object + table->line_offset) = node->line;
        *(unsigned *)((char *)object + table->column_offset) = node->column;
    }
    if (node->kind == RF_NODE_MAP)
        rf_parse_map(entry->parse, table, NULL, object, entry->path, node);
    else
        rf_place_problem(entry, node, "must be a mapping; write for example `- %s`", entry->field->example);
}

/* Every entry becomes an element, a broken one too: so that indexes are those of the text, and the rules see the rest. */
static void parse_objects(const struct rf_place *place, const rf_node *node)
{
    void **objects = RF_TARGET(place->field, place->object);
    if (!rf_list(place, node))
        return;
    for (size_t i = 0; i < node->count; i++) {
        struct rf_place entry = entry_place(place, i);
        void *object = rf_array_add(objects, count_of(place->field, place->object), place->field->element->size);
        parse_object(&entry, &node->children[i], object);
        free((char *)entry.path);
    }
}

static void release_objects(const struct rf_field *field, void *object)
{
    char *objects = *(char **)RF_TARGET(field, object);
    for (size_t i = 0; i < *count_of(field, object); i++)
        rf_table_release(field->element, objects + i * field->element->size);
    free(objects);
}

static json_t *schema_objects(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    return list_schema(field, rf_schema_map(field->element, NULL));
}

static char *describe_objects(const struct rf_field *field)
{
    return rf_format("list of %" PRIu64 " to %" PRIu64 " mappings", field->min, field->max);
}

const struct rf_type rf_type_objects = {"objects", parse_objects, release_objects, schema_objects, describe_objects};
