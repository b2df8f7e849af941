/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Consent to destroy what lies on disks: `refuse`, or a mapping that names them one by one. */
#include "base/memory.h"
#include "profiles/suggest.h"
#include "profiles/text.h"
#include "profiles/type.h"

#include <inttypes.h>
#include <string.h>

#define REFUSE "refuse"
#define WIPE "wipe"

static void parse_word(const struct rf_place *place, const rf_node *node)
{
    static const char *const words[] = {REFUSE};
    const char *text = rf_scalar(place, node);
    if (!text || !strcmp(text, REFUSE))
        return;
    rf_autofree char *shown = rf_shown(text);
    if (rf_suggest(text, (const char **)words, RF_COUNT(words)))
        rf_place_problem(place, node, "\"%s\" is not known here; did you mean `" REFUSE "`?", shown);
    else
        rf_place_problem(place, node, "\"%s\" is not known here; write `" REFUSE "`, or for example %s", shown,
                         place->field->example);
}

static bool is_named(const struct rf_place *place, const char *name)
{
    char **names = *(char ***)RF_TARGET(place->field, place->object);
    size_t count = *(size_t *)((char *)place->object + place->field->count_offset);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static void parse_name(const struct rf_place *place, const rf_node *node)
{
    char ***names = RF_TARGET(place->field, place->object);
    rf_autofree char *name = rf_take_text(place, node);
    if (name && is_named(place, name))
        rf_place_problem(place, node, "\"%s\" is named twice", name);
    else if (name)
        *(char **)rf_array_add(names, (size_t *)((char *)place->object + place->field->count_offset), sizeof(*names)) =
            RF_STEAL(name);
}

static void parse_list(const struct rf_place *place, const rf_node *node)
{
    rf_autofree char *path = rf_format("%s." WIPE, place->path);
    struct rf_place list = *place;
    list.path = path;
    if (!rf_list(&list, node))
        return;
    for (size_t i = 0; i < node->count; i++) {
        rf_autofree char *below = rf_format("%s[%zu]", path, i);
        struct rf_place entry = *place;
        entry.path = below;
        parse_name(&entry, &node->children[i]);
    }
}

static void parse_key(const struct rf_place *place, const rf_node *map, const rf_node *child)
{
    rf_autofree char *shown = rf_shown(child->key);
    rf_autofree char *path = rf_format("%s.%s", place->path, shown);
    if (rf_node_child(map, child->key) != child)
        rf_parse_problem(place->parse, child->key_line, child->key_column, path, "given twice; the first is in line %u",
                         rf_node_child(map, child->key)->key_line);
    else if (!strcmp(child->key, WIPE))
        parse_list(place, child);
    else
        rf_parse_problem(place->parse, child->key_line, child->key_column, path, "unknown key; known here: " WIPE);
}

static void parse_consent(const struct rf_place *place, const rf_node *node)
{
    if (node->kind != RF_NODE_MAP) {
        parse_word(place, node);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        parse_key(place, node, &node->children[i]);
    if (node->count == 0)
        rf_place_problem(place, node, "consents to nothing; write `" REFUSE "`, or for example %s",
                         place->field->example);
}

static void release_consent(const struct rf_field *field, void *object)
{
    rf_type_texts.release(field, object);
}

static json_t *schema_consent(const struct rf_table *table, const struct rf_field *field)
{
    rf_autojson json_t *list = rf_type_texts.schema(table, field);
    return json_pack("{s[{ss}{sss{sO}s[s]sb}]}", "oneOf", "const", REFUSE, "type", "object", "properties", WIPE, list,
                     "required", WIPE, "additionalProperties", 0);
}

static char *describe_consent(const struct rf_field *field)
{
    return rf_format("`" REFUSE "`, or a mapping `" WIPE "`: list of %" PRIu64 " to %" PRIu64 ": %s", field->min,
                     field->max, field->pattern->name);
}

const struct rf_type rf_type_consent = {"consent", parse_consent, release_consent, schema_consent, describe_consent};
