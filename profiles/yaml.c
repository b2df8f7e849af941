/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * YAML text to a tree, from libyaml's events. Events, not its document API: an alias or an endless nesting is seen before
 * anything was built from it.
 */
#include "profiles/yaml.h"

#include "base/memory.h"
#include "profiles/text.h"

#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    const char *name;
    const char *text;
    size_t size;
    rf_problems *problems;
};

#define autoevent RF_CLEANUP(yaml_event_delete)

static int complain(struct reader *reader, yaml_mark_t mark, const char *text)
{
    rf_problem_at(reader->problems, reader->name, (unsigned)mark.line + 1, (unsigned)mark.column + 1, NULL, "%s", text);
    return -1;
}

/* A tab in the indentation of a line (counted from 0): the mistake that libyaml's words explain least. */
static bool indented_by_tab(const struct reader *reader, size_t line)
{
    const char *at = reader->text, *end = reader->text + reader->size;
    for (; line && (at = memchr(at, '\n', (size_t)(end - at))); line--)
        at++;
    for (; at && at < end && (*at == ' ' || *at == '\t'); at++)
        if (*at == '\t')
            return true;
    return false;
}

/* libyaml's words, and what a person most often did. */
static int complain_syntax(struct reader *reader)
{
    yaml_parser_t *parser = &reader->parser;
    yaml_mark_t mark = parser->problem_mark;
    rf_autofree char *text = rf_format("not YAML: %s", parser->problem ? parser->problem : "unreadable");
    if (indented_by_tab(reader, mark.line))
        rf_append(&text, "; the line is indented by a tab: use blanks");
    else if (parser->context && strstr(parser->context, "block scalar"))
        rf_append(&text, "; put a value that begins with `>` or `|` in quotes");
    else if (parser->context && parser->context_mark.line != mark.line)
        rf_append(&text, " (%s that begins in line %zu)", parser->context, parser->context_mark.line + 1);
    else if (parser->context)
        rf_append(&text, " (%s)", parser->context);
    return complain(reader, mark, text);
}

static int check_plainness(struct reader *reader, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (event->type == YAML_ALIAS_EVENT)
        return complain(reader, event->start_mark,
                        "aliases (`*name`) are not allowed in a profile; write the value out");
    if (anchor)
        return complain(reader, event->start_mark, "anchors (`&name`) are not allowed in a profile; remove it");
    if (tag)
        return complain(reader, event->start_mark, "tags (`!name`) are not allowed in a profile; remove it");
    return 0;
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
    if (!yaml_parser_parse(&reader->parser, event))
        return complain_syntax(reader);
    return check_plainness(reader, event);
}

static int read_value(struct reader *reader, const yaml_event_t *event, unsigned depth, rf_node *node);

static rf_node *add_child(struct reader *reader, const yaml_event_t *event, rf_node *node)
{
    if (node->count < RF_YAML_CHILDREN_MAX)
        return rf_array_add(&node->children, &node->count, sizeof(*node));
    rf_autofree char *text = rf_format("more than %d entries", RF_YAML_CHILDREN_MAX);
    complain(reader, event->start_mark, text);
    return NULL;
}

static int set_key(struct reader *reader, const yaml_event_t *event, rf_node *child)
{
    if (event->type != YAML_SCALAR_EVENT)
        return complain(reader, event->start_mark, "a list or mapping can't be a key; write `key: value`");
    child->key = rf_strdup((const char *)event->data.scalar.value);
    child->key_line = (unsigned)event->start_mark.line + 1;
    child->key_column = (unsigned)event->start_mark.column + 1;
    return 0;
}

/* The children of a list or mapping up to its end. */
static int read_children(struct reader *reader, unsigned depth, rf_node *node)
{
    for (;;) {
        autoevent yaml_event_t event = {0};
        if (next_event(reader, &event))
            return -1;
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            return 0;
        rf_node *child = add_child(reader, &event, node);
        if (!child)
            return -1;
        if (node->kind == RF_NODE_LIST) {
            if (read_value(reader, &event, depth, child))
                return -1;
            continue;
        }
        autoevent yaml_event_t value = {0};
        if (set_key(reader, &event, child) || next_event(reader, &value) || read_value(reader, &value, depth, child))
            return -1;
    }
}

static int read_value(struct reader *reader, const yaml_event_t *event, unsigned depth, rf_node *node)
{
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    if (event->type == YAML_SCALAR_EVENT) {
        node->kind = RF_NODE_TEXT;
        node->text = rf_strdup((const char *)event->data.scalar.value);
        node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        /* A quoted "\0" would hide the rest of the value from everything that reads it as a C string. */
        if (strlen(node->text) != event->data.scalar.length)
            return complain(reader, event->start_mark, "a NUL character inside a value; remove it");
        return 0;
    }
    node->kind = event->type == YAML_SEQUENCE_START_EVENT ? RF_NODE_LIST : RF_NODE_MAP;
    if (depth >= RF_YAML_DEPTH_MAX)
        return complain(reader, event->start_mark, "lists and mappings are nested too deeply");
    return read_children(reader, depth + 1, node);
}

static int expect(struct reader *reader, yaml_event_type_t type, const char *otherwise)
{
    autoevent yaml_event_t event = {0};
    if (next_event(reader, &event))
        return -1;
    return event.type == type ? 0 : complain(reader, event.start_mark, otherwise);
}

static int read_document(struct reader *reader, rf_node *root)
{
    if (expect(reader, YAML_STREAM_START_EVENT, "not YAML"))
        return -1;
    if (expect(reader, YAML_DOCUMENT_START_EVENT, "empty; a profile begins with `richtfest: 1`"))
        return -1;
    autoevent yaml_event_t event = {0};
    if (next_event(reader, &event) || read_value(reader, &event, 0, root))
        return -1;
    if (expect(reader, YAML_DOCUMENT_END_EVENT, "not YAML"))
        return -1;
    return expect(reader, YAML_STREAM_END_EVENT, "a second document begins here; a profile is one document");
}

static void delete_parser(struct reader *reader)
{
    yaml_parser_delete(&reader->parser);
}

rf_node *rf_yaml_read(const char *name, const char *text, size_t size, rf_problems *problems)
{
    if (size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) { /* a byte order mark, as some editors write it */
        text += 3;
        size -= 3;
    }
    if (!rf_text_check(name, text, size, problems))
        return NULL;
    RF_CLEANUP(delete_parser) struct reader reader = {.name = name, .text = text, .size = size, .problems = problems};
    if (!yaml_parser_initialize(&reader.parser))
        abort();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING); /* never guessed: UTF-16 was refused above */
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    rf_autonode rf_node *root = rf_alloc(sizeof(*root));
    if (read_document(&reader, root))
        return NULL;
    return RF_STEAL(root);
}
