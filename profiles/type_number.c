/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields that are numbers or yes and no. Quoted they are text in YAML, so they must be written plain. */
#include "base/memory.h"
#include "profiles/text.h"
#include "profiles/type.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const char *plain_scalar(const struct rf_place *place, const rf_node *node)
{
    const char *text = rf_scalar(place, node);
    if (!text || node->plain)
        return text;
    rf_autofree char *shown = rf_shown(text);
    rf_place_problem(place, node, "\"%s\" is quoted, which makes it text; write it without quotes", shown);
    return NULL;
}

static void parse_integer(const struct rf_place *place, const rf_node *node)
{
    const struct rf_field *field = place->field;
    const char *text = plain_scalar(place, node);
    if (!text)
        return;
    rf_autofree char *shown = rf_shown(text);
    size_t digits = strspn(text + (*text == '-'), "0123456789");
    if (!digits || text[digits + (*text == '-')]) {
        rf_place_problem(place, node, "\"%s\" is not a whole number; write for example %s", shown, field->example);
        return;
    }
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    if (errno || *text == '-' || value < field->min || value > field->max) {
        rf_place_problem(place, node, "%s is out of range; write %" PRIu64 " to %" PRIu64, shown, field->min,
                         field->max);
        return;
    }
    *(unsigned *)RF_TARGET(field, place->object) = (unsigned)value;
}

static json_t *schema_integer(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    return json_pack("{ss sI sI}", "type", "integer", "minimum", (json_int_t)field->min, "maximum",
                     (json_int_t)field->max);
}

static char *describe_integer(const struct rf_field *field)
{
    if (field->min == field->max)
        return rf_format("`%" PRIu64 "`", field->min);
    return rf_format("whole number, %" PRIu64 " to %" PRIu64, field->min, field->max);
}

const struct rf_type rf_type_integer = {"integer", parse_integer, NULL, schema_integer, describe_integer};

/* RF_ANY with a problem. */
static enum rf_tristate take_bool(const struct rf_place *place, const rf_node *node)
{
    const char *text = plain_scalar(place, node);
    if (!text)
        return RF_ANY;
    if (!strcmp(text, "true") || !strcmp(text, "false"))
        return *text == 't' ? RF_YES : RF_NO;
    rf_autofree char *shown = rf_shown(text);
    rf_place_problem(place, node, "\"%s\" is neither true nor false; write `true` or `false`", shown);
    return RF_ANY;
}

static void parse_bool(const struct rf_place *place, const rf_node *node)
{
    *(bool *)RF_TARGET(place->field, place->object) = take_bool(place, node) == RF_YES;
}

static void parse_tristate(const struct rf_place *place, const rf_node *node)
{
    *(enum rf_tristate *)RF_TARGET(place->field, place->object) = take_bool(place, node);
}

static json_t *schema_bool(const struct rf_table *table, const struct rf_field *field)
{
    (void)table;
    (void)field;
    return json_pack("{ss}", "type", "boolean");
}

static char *describe_bool(const struct rf_field *field)
{
    (void)field;
    return rf_strdup("`true` or `false`");
}

const struct rf_type rf_type_bool = {"bool", parse_bool, NULL, schema_bool, describe_bool};
const struct rf_type rf_type_tristate = {"tristate", parse_tristate, NULL, schema_bool, describe_bool};
