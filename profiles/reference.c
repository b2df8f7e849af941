/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reference page of the profile (Markdown): made from the tables of fields, rules and what is not supported yet. */
#include "base/memory.h"
#include "profiles/rules.h"
#include "profiles/schema.h"
#include "profiles/unsupported.h"
#include "profiles/yaml.h"

#include <string.h>

static const char intro[] =
    "# The profile\n"
    "\n"
    "<!-- Made from the tables in profiles/; change them, not this page. -->\n"
    "\n"
    "A profile is one YAML document that says what a node should be. `richtfest check PROFILE` checks it and names "
    "every\n"
    "problem with its line and column; an unknown key is an error. Editors check it while one writes by\n"
    "[profile.schema.json](profile.schema.json).\n"
    "\n"
    "- A **size** has a unit: `24 GB`, `512 MiB`, `1.5 TB`. kB, MB, GB, TB and PB are powers of 1000, as disks are "
    "sold; KiB, MiB,\n"
    "  GiB, TiB and PiB are powers of 1024.\n"
    "- A **size band** is `\">= 1 TB\"`, `\"<= 5 TB\"`, `1 TB .. 5 TB` (both ends included), or `4 TB` for a disk that "
    "is sold as\n"
    "  that (within 1 %). Quote those that begin with `>`: it means something else in YAML.\n"
    "- Anchors, aliases, tags and further documents are refused";

static void append_limits(char **text)
{
    rf_append(text,
              "; so is a profile of more than %u KiB, a list or mapping of more\n  than %d entries, and nesting deeper "
              "than %d "
              "levels.\n\n",
              RF_PROFILE_MAX >> 10, RF_YAML_CHILDREN_MAX, RF_YAML_DEPTH_MAX);
}

static char *default_text(const struct rf_field *field)
{
    if (field->required)
        return rf_strdup("required");
    if (field->fallback)
        return rf_format("default `%s`", field->fallback);
    return rf_format("%s%s", field->fallback_note ? "default: " : "optional",
                     field->fallback_note ? field->fallback_note : "");
}

static void append_field(char **text, const char *prefix, const struct rf_field *field)
{
    rf_autofree char *type = field->type->describe(field);
    rf_autofree char *otherwise = default_text(field);
    rf_append(text, "| `%s%s` | %s | %s | %s |", prefix, field->name, type, otherwise, field->help);
    if (field->example)
        rf_append(text, " `%s` |\n", field->example);
    else
        rf_append(text, " |\n");
}

static void append_table(char **text, const char *prefix, const struct rf_table *table, const struct rf_field *group)
{
    size_t length = group ? strlen(group->name) : 0;
    rf_append(text, "| key | type | | meaning | example |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct rf_field *row = &table->rows[i];
        if (!group || (!strncmp(row->name, group->name, length) && (row->name[length] == '.' || !row->name[length])))
            append_field(text, prefix, row);
    }
    rf_append(text, "\n");
}

/* A section for each list of mappings in a group. */
static void append_elements(char **text, const struct rf_table *table, const struct rf_field *group)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct rf_field *row = &table->rows[i];
        size_t length = strlen(group->name);
        if (!row->element || strncmp(row->name, group->name, length) != 0 ||
            (row->name[length] && row->name[length] != '.'))
            continue;
        rf_autofree char *prefix = rf_format("%s[].", row->name);
        rf_append(text, "Each entry of `%s`:\n\n", row->name);
        append_table(text, prefix, row->element, NULL);
    }
}

static void append_rules(char **text)
{
    rf_append(text, "## Rules between fields\n\n");
    for (size_t i = 0; i < rf_rules_count; i++)
        rf_append(text, "- %s\n", rf_rules[i].help);
}

static void append_unsupported(char **text)
{
    rf_append(text, "\n## Not supported by this version\n\n| key | value | instead |\n|---|---|---|\n");
    for (size_t i = 0; i < rf_unsupported_count; i++) {
        const struct rf_unsupported *row = &rf_unsupported_table[i];
        const char *value = !row->value                ? "any"
                            : !strcmp(row->value, "*") ? "any other"
                            : *row->value == '{'       ? "a mapping"
                                                       : row->value;
        rf_append(text, "| `%s` | %s | %s |\n", row->key, value, row->instead);
    }
}

char *rf_profile_reference(void)
{
    char *text = rf_strdup(intro);
    append_limits(&text);
    for (const struct rf_field *row = NULL; (row = rf_field_next(&rf_profile_table, NULL, row));) {
        rf_append(&text, "## `%s`\n\n", row->name);
        append_table(&text, "", &rf_profile_table, row);
        append_elements(&text, &rf_profile_table, row);
    }
    append_rules(&text);
    append_unsupported(&text);
    return text;
}
