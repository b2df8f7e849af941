/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON Schema (draft 2020-12) of the profile, for editors: made from the table. */
#include "base/memory.h"
#include "profiles/schema.h"

#include <string.h>

/* A default or example as JSON: numbers and booleans as such, the rest as text without its quotes; NULL for lists and mappings. */
static json_t *value_json(const struct rf_field *field, const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json || *text == '[' || *text == '{')
        return json;
    return field->type == &rf_type_objects || field->type == &rf_type_texts ? NULL : json_string(text);
}

static json_t *field_schema(const struct rf_table *table, const struct rf_field *field)
{
    json_t *schema = json_object();
    json_object_set_new(schema, "description", json_string(field->help));
    rf_autojson json_t *type = field->type->schema(table, field);
    json_object_update(schema, type);
    if (field->fallback)
        json_object_set_new(schema, "default", value_json(field, field->fallback));
    rf_autojson json_t *example = field->example ? value_json(field, field->example) : NULL;
    if (example)
        json_object_set_new(schema, "examples", json_pack("[O]", example));
    return schema;
}

json_t *rf_schema_map(const struct rf_table *table, const struct rf_field *group)
{
    json_t *properties = json_object(), *required = json_array();
    for (const struct rf_field *row = NULL; (row = rf_field_next(table, group, row));) {
        json_object_set_new(properties, rf_field_key(row), field_schema(table, row));
        if (row->required)
            json_array_append_new(required, json_string(rf_field_key(row)));
    }
    json_t *schema = json_pack("{ss so sb}", "type", "object", "properties", properties, "additionalProperties", 0);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}

json_t *rf_profile_json_schema(void)
{
    json_t *schema =
        json_pack("{ss ss ss}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title", "Richtfest profile",
                  "description", "What a node should be. Rules between fields are checked by `richtfest check`.");
    rf_autojson json_t *map = rf_schema_map(&rf_profile_table, NULL);
    json_object_update(schema, map);
    return schema;
}
