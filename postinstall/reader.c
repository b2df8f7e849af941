/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the tree that profiles/yaml.h makes to what a recipe's reader asks for. */
#include "postinstall/reader.h"

#include "base/memory.h"
#include "base/units.h"
#include "profiles/suggest.h"
#include "profiles/value.h"

#include <stdarg.h>
#include <string.h>

static void join(const struct rf_reader *at, const char *key, char ret_path[RF_READER_PATH])
{
    snprintf(ret_path, RF_READER_PATH, "%.80s%s%.40s", at->path, at->path[0] && key ? "." : "", key ? key : "");
}

void rf_reader_problem(const struct rf_reader *at, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rf_autofree char *text = rf_format_list(format, args);
    va_end(args);
    char path[RF_READER_PATH];
    join(at, key, path);
    const rf_node *node = key && at->node ? rf_node_child(at->node, key) : NULL;
    node = node ? node : at->node;
    rf_problem_at(at->problems, at->file, node ? node->line : 0, node ? node->column : 0, path[0] ? path : NULL, "%s",
                  text);
}

void rf_reader_known(const struct rf_reader *at, const char *const *known, size_t count)
{
    struct rf_reader entry;
    for (size_t i = 0; rf_reader_entry(at, i, &entry); i++) {
        const char *key = entry.node->key;
        bool found = false;
        for (size_t k = 0; k < count; k++)
            found |= strcmp(key, known[k]) == 0;
        const char *near = found ? NULL : rf_suggest(key, known, count);
        if (rf_node_child(at->node, key) != entry.node)
            rf_problem_at(at->problems, at->file, entry.node->key_line, entry.node->key_column, entry.path,
                          "given twice");
        if (!found)
            rf_problem_at(at->problems, at->file, entry.node->key_line, entry.node->key_column, entry.path,
                          near ? "unknown key; did you mean '%s'?" : "unknown key%s", near ? near : "");
    }
}

static struct rf_reader inside(const struct rf_reader *at, const char *key, enum rf_node_kind kind, const char *wanted)
{
    struct rf_reader found = {.file = at->file, .problems = at->problems};
    found.node = at->node ? rf_node_child(at->node, key) : NULL;
    join(at, key, found.path);
    if (found.node && found.node->kind != kind) {
        rf_reader_problem(at, key, "%s is expected here", wanted);
        found.node = NULL;
    }
    return found;
}

struct rf_reader rf_reader_map(const struct rf_reader *at, const char *key)
{
    return inside(at, key, RF_NODE_MAP, "a mapping (key: value)");
}

struct rf_reader rf_reader_list(const struct rf_reader *at, const char *key)
{
    return inside(at, key, RF_NODE_LIST, "a list");
}

const char *rf_reader_string(const struct rf_reader *at, const char *key, bool required)
{
    struct rf_reader found = inside(at, key, RF_NODE_TEXT, "a text");
    if (required && (!at->node || !rf_node_child(at->node, key)))
        rf_reader_problem(at, NULL, "the key '%s' is missing", key);
    return found.node ? found.node->text : NULL;
}

uint64_t rf_reader_integer(const struct rf_reader *at, const char *key, uint64_t fallback, uint64_t max)
{
    const char *text = rf_reader_string(at, key, false);
    if (!text)
        return fallback;
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end == '\0' && *text >= '0' && *text <= '9' && value <= max)
        return value;
    rf_reader_problem(at, key, "'%s' is not a number from 0 to %llu", text, (unsigned long long)max);
    return fallback;
}

bool rf_reader_boolean(const struct rf_reader *at, const char *key, bool fallback)
{
    const char *text = rf_reader_string(at, key, false);
    if (!text)
        return fallback;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        rf_reader_problem(at, key, "'%s' is neither true nor false", text);
    return strcmp(text, "true") == 0;
}

uint64_t rf_reader_size(const struct rf_reader *at, const char *key)
{
    const char *text = rf_reader_string(at, key, false);
    rf_autoerror rf_error *why = NULL;
    uint64_t bytes = 0;
    if (text && rf_parse_size(text, &bytes, &why) < 0) {
        rf_autofree char *line = rf_error_text(why);
        rf_reader_problem(at, key, "%s", line);
    }
    return bytes;
}

bool rf_reader_entry(const struct rf_reader *at, size_t index, struct rf_reader *ret_entry)
{
    if (!at->node || index >= at->node->count)
        return false;
    struct rf_reader entry = {.file = at->file, .problems = at->problems, .node = &at->node->children[index]};
    if (entry.node->key)
        join(at, entry.node->key, entry.path);
    else
        snprintf(entry.path, sizeof(entry.path), "%.80s[%u]", at->path, (unsigned)index);
    *ret_entry = entry;
    return true;
}

json_t *rf_reader_strings(const struct rf_reader *at, const char *key)
{
    json_t *strings = json_array();
    struct rf_reader list = rf_reader_list(at, key), entry;
    for (size_t i = 0; rf_reader_entry(&list, i, &entry); i++) {
        if (entry.node->kind == RF_NODE_TEXT)
            json_array_append_new(strings, json_string(entry.node->text));
        else
            rf_reader_problem(&entry, NULL, "a text is expected here");
    }
    return strings;
}

json_t *rf_reader_argv(const struct rf_reader *at, const char *key)
{
    json_t *argv = rf_reader_strings(at, key);
    const char *program = json_string_value(json_array_get(argv, 0));
    if (program && program[0] != '/')
        rf_reader_problem(at, key, "'%s' is no absolute path; nothing else finds the program", program);
    else if (at->node && rf_node_child(at->node, key) && !program)
        rf_reader_problem(at, key, "the command is empty");
    return argv;
}

json_t *rf_reader_json(const struct rf_reader *at, const char *key)
{
    const rf_node *node = at->node ? rf_node_child(at->node, key) : NULL;
    return node ? rf_node_json(node) : NULL;
}

size_t rf_reader_word(const struct rf_reader *at, const char *key, const char *const *words, size_t count,
                      size_t fallback)
{
    const char *text = rf_reader_string(at, key, false);
    rf_autofree char *all = NULL;
    if (!text)
        return fallback;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
        rf_append(&all, "%s%s", i ? ", " : "", words[i]);
    }
    const char *near = rf_suggest(text, words, count);
    if (near)
        rf_reader_problem(at, key, "'%s' is not known here; did you mean '%s'?", text, near);
    else
        rf_reader_problem(at, key, "'%s' is not known here; write %s", text, all);
    return fallback;
}
