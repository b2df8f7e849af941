/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields that are text: by pattern, or one of a few words. */
#include "base/memory.h"
#include "profiles/suggest.h"
#include "profiles/text.h"
#include "profiles/type.h"
#include "profiles/unsupported.h"

#include <string.h>

void rf_release_text(const struct rf_field *field, void *object)
{
    char **target = RF_TARGET(field, object);
    free(*target);
    *target = NULL;
}

char *rf_take_text(const struct rf_place *place, const rf_node *node)
{
    const char *text = rf_scalar(place, node);
    if (!text)
        return NULL;
    rf_autofree char *wrong = rf_pattern_check(place->field->pattern, text);
    if (!wrong)
        return rf_strdup(text);
    rf_place_problem(place, node, "%s", wrong);
    return NULL;
}

static void parse_text(const struct rf_place *place, const rf_node *node)
{
    *(char **)RF_TARGET(place->field, place->object) = rf_take_text(place, node);
}

json_t *rf_schema_pattern(const struct rf_pattern *pattern)
{
    return json_pack("{ss ss si}", "type", "string", "pattern", pattern->regex, "maxLength", (int)pattern->max);
}

static json_t *schema_text(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    return rf_schema_pattern(field->pattern);
}

static char *describe_text(const struct rf_field *field)
{
    return rf_strdup(field->pattern->name);
}

const struct rf_type rf_type_text = {"text", parse_text, rf_release_text, schema_text, describe_text};

static char *choices_text(const struct rf_field *field)
{
    char *text = rf_strdup("");
    for (const struct rf_choice *choice = field->choices; choice->name; choice++)
        rf_append(&text, "%s`%s`", choice == field->choices ? "" : choice[1].name ? ", " : " or ", choice->name);
    return text;
}

static const char *suggest_choice(const struct rf_field *field, const char *text)
{
    size_t count = 0;
    rf_autofree const char **names = NULL;
    for (const struct rf_choice *choice = field->choices; choice->name; choice++)
        *(const char **)rf_array_add(&names, &count, sizeof(*names)) = choice->name;
    return rf_suggest(text, names, count);
}

/* The choice that is written there, or NULL with a problem. */
static const struct rf_choice *take_choice(const struct rf_place *place, const rf_node *node)
{
    if (rf_unsupported_value(place, node))
        return NULL;
    const char *text = rf_scalar(place, node);
    if (!text)
        return NULL;
    for (const struct rf_choice *choice = place->field->choices; choice->name; choice++)
        if (!strcmp(choice->name, text))
            return choice;
    rf_autofree char *shown = rf_shown(text);
    rf_autofree char *choices = choices_text(place->field);
    const char *meant = suggest_choice(place->field, text);
    if (meant)
        rf_place_problem(place, node, "\"%s\" is not known here; did you mean `%s`?", shown, meant);
    else if (!rf_unsupported_any(place, node))
        rf_place_problem(place, node, "\"%s\" is not known here; write %s", shown, choices);
    return NULL;
}

static void parse_word(const struct rf_place *place, const rf_node *node)
{
    const struct rf_choice *choice = take_choice(place, node);
    *(char **)RF_TARGET(place->field, place->object) = choice ? rf_strdup(choice->name) : NULL;
}

static void parse_choice(const struct rf_place *place, const rf_node *node)
{
    const struct rf_choice *choice = take_choice(place, node);
    *(int *)RF_TARGET(place->field, place->object) = choice ? choice->value : 0;
}

static json_t *schema_choices(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    json_t *names = json_array();
    for (const struct rf_choice *choice = field->choices; choice->name; choice++)
        json_array_append_new(names, json_string(choice->name));
    return json_pack("{so}", "enum", names);
}

const struct rf_type rf_type_word = {"word", parse_word, rf_release_text, schema_choices, choices_text};
const struct rf_type rf_type_choice = {"choice", parse_choice, NULL, schema_choices, choices_text};
