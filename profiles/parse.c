/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The profile's text to the struct, through the schema's table. */
#include "base/memory.h"
#include "profiles/level.h"
#include "profiles/rules.h"
#include "profiles/schema.h"
#include "profiles/suggest.h"
#include "profiles/text.h"
#include "profiles/type.h"
#include "profiles/unsupported.h"
#include "profiles/yaml.h"

#include <stdarg.h>
#include <string.h>

static void add_problem(struct rf_parse *parse, unsigned line, unsigned column, const char *path, const char *format,
                        va_list args)
{
    if (parse->listed >= RF_PROBLEMS_LISTED) {
        parse->left_out++;
        return;
    }
    rf_autofree char *text = rf_format_list(format, args);
    parse->listed++;
    rf_problem_at(parse->problems, parse->file, line, column, *path ? path : NULL, "%s", text);
}

void rf_parse_problem(struct rf_parse *parse, unsigned line, unsigned column, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_problem(parse, line, column, path, format, args);
    va_end(args);
}

void rf_place_problem(const struct rf_place *place, const rf_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_problem(place->parse, node->line, node->column, place->path, format, args);
    va_end(args);
}

static const char *kind_name(const rf_node *node)
{
    return node->kind == RF_NODE_LIST ? "a list" : "a mapping";
}

const char *rf_scalar(const struct rf_place *place, const rf_node *node)
{
    const struct rf_field *field = place->field;
    if (node->kind != RF_NODE_TEXT)
        rf_place_problem(place, node, "must be one value, not %s; write for example %s", kind_name(node),
                         field->example);
    else if ((rf_node_empty(node) || !*node->text) && field->type == &rf_type_texts)
        rf_place_problem(place, node, "has no value; write %s", field->pattern->wants);
    else if (rf_node_empty(node) || !*node->text)
        rf_place_problem(place, node, "has no value; write for example %s", field->example);
    else
        return node->text;
    return NULL;
}

bool rf_list(const struct rf_place *place, const rf_node *node)
{
    const struct rf_field *field = place->field;
    if (node->kind != RF_NODE_LIST)
        rf_place_problem(place, node, "must be a list; write each entry as a line that begins with `- `");
    else if (node->count < field->min)
        rf_place_problem(place, node, "is empty; write at least %u", (unsigned)field->min);
    else if (node->count > field->max)
        rf_place_problem(place, node, "has %zu entries; write at most %u", node->count, (unsigned)field->max);
    else
        return true;
    return false;
}

static char *join(const char *path, const char *key)
{
    return rf_format("%s%s%s", path, *path ? "." : "", key);
}

static const struct rf_field *find_row(const struct rf_table *table, const struct rf_field *group, const char *key)
{
    const struct rf_field *row = NULL;
    while ((row = rf_field_next(table, group, row)))
        if (!strcmp(rf_field_key(row), key))
            return row;
    return NULL;
}

/* The row of that name elsewhere in the table, the outermost one: `hostname` belongs under `node`. */
static const struct rf_field *find_elsewhere(const struct rf_table *table, const char *key)
{
    const struct rf_field *found = NULL;
    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(rf_field_key(&table->rows[i]), key))
            if (!found || strlen(table->rows[i].name) < strlen(found->name))
                found = &table->rows[i];
    return found;
}

/* The row that a misspelt key most likely means, or NULL. */
static const struct rf_field *find_meant(const struct rf_table *table, const struct rf_field *group, const char *key)
{
    rf_autofree const char **keys = NULL;
    size_t count = 0;
    for (const struct rf_field *row = NULL; (row = rf_field_next(table, group, row));)
        *(const char **)rf_array_add(&keys, &count, sizeof(*keys)) = rf_field_key(row);
    const char *meant = rf_suggest(key, keys, count);
    return meant ? find_row(table, group, meant) : NULL;
}

static char *known_keys(const struct rf_table *table, const struct rf_field *group)
{
    char *known = NULL;
    for (const struct rf_field *row = NULL; (row = rf_field_next(table, group, row));)
        rf_append(&known, "%s%s", known ? ", " : "", rf_field_key(row));
    return known;
}

/* Says what is wrong with an unknown key; returns the row that it seems to mean, so that what is below it is checked too. */
static const struct rf_field *report_unknown(struct rf_parse *parse, const struct rf_table *table,
                                             const struct rf_field *group, const char *path, const rf_node *child)
{
    rf_autofree char *shown = rf_shown(child->key);
    rf_autofree char *full = join(path, shown);
    const struct rf_unsupported *unsupported = rf_unsupported_key(full);
    const struct rf_field *elsewhere = find_elsewhere(table, child->key);
    const struct rf_field *meant = NULL;
    unsigned line = child->key_line, column = child->key_column;
    if (parse->listed >= RF_PROBLEMS_LISTED) { /* only counted: without the cost of a suggestion */
        parse->left_out++;
    } else if (unsupported) {
        rf_parse_problem(parse, line, column, full, "not supported by this version; %s", unsupported->instead);
    } else if (elsewhere) {
        rf_parse_problem(parse, line, column, full, "unknown key here; its place is `%s`", elsewhere->name);
    } else if ((meant = find_meant(table, group, child->key))) {
        rf_parse_problem(parse, line, column, full, "unknown key; did you mean `%s`?", rf_field_key(meant));
    } else {
        rf_autofree char *known = known_keys(table, group);
        rf_parse_problem(parse, line, column, full, "unknown key; known here: %s", known);
    }
    return meant;
}

static void parse_child(struct rf_parse *parse, const struct rf_table *table, const struct rf_field *row, void *object,
                        const char *path, const rf_node *child)
{
    rf_autofree char *full = join(path, rf_field_key(row));
    struct rf_place place = {parse, table, row, object, full};
    row->type->parse(&place, child);
}

/* Defaults pass through the same parser as what is written. */
static void fill_default(struct rf_parse *parse, const struct rf_table *table, const struct rf_field *row, void *object,
                         const char *path)
{
    if (row->type == &rf_type_group) {
        rf_parse_map(parse, table, row, object, path, NULL);
        return;
    }
    if (!row->fallback)
        return;
    rf_autofree char *text = rf_strdup(row->fallback);
    rf_node node = {.kind = RF_NODE_TEXT, .text = text, .plain = true};
    struct rf_place place = {parse, table, row, object, path};
    row->type->parse(&place, &node);
}

static void report_missing(struct rf_parse *parse, const struct rf_field *row, const char *path, const rf_node *map)
{
    bool keyed = map->key_line;
    unsigned line = keyed ? map->key_line : map->line, column = keyed ? map->key_column : map->column;
    if (row->example)
        rf_parse_problem(parse, line, column, path, "missing; write for example `%s: %s`", rf_field_key(row),
                         row->example);
    else
        rf_parse_problem(parse, line, column, path, "missing; write `%s:` and its keys indented below it",
                         rf_field_key(row));
}

static void report_twice(struct rf_parse *parse, const char *path, const rf_node *child, const rf_node *first)
{
    rf_autofree char *shown = rf_shown(child->key);
    rf_autofree char *full = join(path, shown);
    rf_parse_problem(parse, child->key_line, child->key_column, full, "given twice; the first is in line %u",
                     first->key_line);
}

/* The keys that are in the text; `filled` says of each row of the table whether it was one of them. Misspelt keys come after the
 * well-written ones, so that none takes another's place. */
static void parse_children(struct rf_parse *parse, const struct rf_table *table, const struct rf_field *group,
                           void *object, const char *path, const rf_node *map, bool *filled)
{
    for (size_t i = 0; i < map->count; i++) {
        const rf_node *child = &map->children[i], *first = rf_node_child(map, child->key);
        const struct rf_field *row = find_row(table, group, child->key);
        if (first != child)
            report_twice(parse, path, child, first);
        else if (row)
            parse_child(parse, table, row, object, path, child);
        if (row)
            filled[row - table->rows] = true;
    }
    for (size_t i = 0; i < map->count; i++) {
        const rf_node *child = &map->children[i];
        if (rf_node_child(map, child->key) != child || find_row(table, group, child->key))
            continue;
        const struct rf_field *meant = report_unknown(parse, table, group, path, child);
        if (meant && !filled[meant - table->rows]) {
            filled[meant - table->rows] = true;
            parse_child(parse, table, meant, object, path, child);
        }
    }
}

void rf_parse_map(struct rf_parse *parse, const struct rf_table *table, const struct rf_field *group, void *object,
                  const char *path, const rf_node *map)
{
    rf_autofree bool *filled = rf_alloc(table->count * sizeof(*filled));
    if (map)
        parse_children(parse, table, group, object, path, map, filled);
    for (const struct rf_field *row = NULL; (row = rf_field_next(table, group, row));) {
        if (filled[row - table->rows])
            continue;
        rf_autofree char *full = join(path, rf_field_key(row));
        if (map && row->required)
            report_missing(parse, row, full, map);
        fill_default(parse, table, row, object, full);
    }
}

/* The format decides what everything else means, so another one ends the reading. */
static bool check_format(struct rf_parse *parse, const rf_node *root)
{
    if (root->kind != RF_NODE_MAP) {
        rf_parse_problem(parse, root->line, root->column, "",
                         "this is no profile; a profile begins with `richtfest: 1`");
        return false;
    }
    const rf_node *format = rf_node_child(root, "richtfest");
    if (!format)
        return true; /* reported as missing, with all the rest */
    if (format != root->children)
        rf_parse_problem(parse, format->key_line, format->key_column, "richtfest", "must be the first key");
    size_t length = format->kind == RF_NODE_TEXT && format->plain ? strlen(format->text) : 0;
    bool other = length && strspn(format->text, "0123456789") == length && strcmp(format->text, "1") != 0;
    rf_autofree char *shown = other ? rf_shown(format->text) : NULL;
    if (other)
        rf_parse_problem(parse, format->line, format->column, "richtfest",
                         "this is a profile of format %s, and this version reads format %d only", shown,
                         RF_PROFILE_FORMAT);
    return !other;
}

/* The one default that depends on another field. */
static void fill_count(rf_profile *profile, const rf_node *root)
{
    const rf_node *storage = rf_node_child(root, "storage");
    const rf_node *disks = storage ? rf_node_child(storage, "disks") : NULL;
    if (!disks || !rf_node_child(disks, "count"))
        profile->storage.count = rf_level_limits(profile->storage.level)->disks_default;
}

static void report_left_out(const struct rf_parse *parse)
{
    if (parse->left_out)
        rf_problem_at(parse->problems, parse->file, 0, 0, NULL, "%zu more problems are not listed", parse->left_out);
}

rf_profile *rf_profile_parse(const char *name, const char *text, size_t size, rf_problems *problems)
{
    if (size > RF_PROFILE_MAX) {
        rf_problem_at(problems, name, 0, 0, NULL, "larger than %u KiB; this is no profile", RF_PROFILE_MAX >> 10);
        return NULL;
    }
    rf_autonode rf_node *root = rf_yaml_read(name, text, size, problems);
    if (!root)
        return NULL;
    struct rf_parse parse = {.file = name, .problems = problems};
    rf_autoprofile rf_profile *profile = rf_alloc(sizeof(*profile));
    profile->file = rf_strdup(name);
    if (check_format(&parse, root)) {
        rf_parse_map(&parse, &rf_profile_table, NULL, profile, "", root);
        fill_count(profile, root);
        rf_rules_check(&parse, profile, root);
    }
    report_left_out(&parse);
    if (parse.listed)
        return NULL;
    profile->document = RF_STEAL(root);
    profile->text = rf_format("%.*s", (int)size, text);
    return RF_STEAL(profile);
}
