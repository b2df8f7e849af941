/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The schema: one table that describes every field of the profile. The parser, the messages, the JSON Schema and the reference
 * page walk it. Adding a field is a row in schema.c and a member in profile.h; adding a type is an ops struct.
 */
#pragma once

#include "profiles/node.h"
#include "profiles/patterns.h"
#include "profiles/profile.h"

struct rf_field;
struct rf_table;

/* One run of the parser. */
struct rf_parse {
    const char *file;
    rf_problems *problems;
    size_t listed, left_out; /* of this run; what is over RF_PROBLEMS_LISTED is only counted */
};

/* More problems than this help nobody, and a hostile profile could make many thousands. */
#define RF_PROBLEMS_LISTED 100

/* Where a value goes: the field's row, its table, the object that the row's offset counts from, and its path for messages. */
struct rf_place {
    struct rf_parse *parse;
    const struct rf_table *table;
    const struct rf_field *field;
    void *object;
    const char *path;
};

/* A type of fields. `target` is object + offset. */
struct rf_type {
    const char *name;
    /* Fills the target, or reports problems and leaves it zeroed. */
    void (*parse)(const struct rf_place *place, const rf_node *node);
    /* Frees what parse allocated; NULL: nothing. */
    void (*release)(const struct rf_field *field, void *object);
    /* The JSON Schema of a value; the caller adds description and default. */
    json_t *(*schema)(const struct rf_table *table, const struct rf_field *field);
    /* The reference page's words for it; the caller frees them. */
    char *(*describe)(const struct rf_field *field);
};

extern const struct rf_type rf_type_group;    /* a mapping whose rows are in the same table ("node" of "node.id") */
extern const struct rf_type rf_type_text;     /* char *, by pattern */
extern const struct rf_type rf_type_texts;    /* char ** and a count, each by pattern */
extern const struct rf_type rf_type_word;     /* char *, one of choices */
extern const struct rf_type rf_type_choice;   /* an enum, one of choices */
extern const struct rf_type rf_type_integer;  /* unsigned, min..max */
extern const struct rf_type rf_type_bool;     /* bool */
extern const struct rf_type rf_type_tristate; /* enum rf_tristate */
extern const struct rf_type rf_type_size;     /* uint64_t, bytes, min..max */
extern const struct rf_type rf_type_band;     /* struct rf_size_band */
extern const struct rf_type rf_type_objects;  /* an array of structs and a count; rows in `element` */
extern const struct rf_type rf_type_consent;  /* char ** and a count: `refuse`, or a mapping with the list `wipe` */
extern const struct rf_type rf_type_free;     /* json_t *: any mapping */

/* One allowed word. Lists of them end with a NULL name. */
struct rf_choice {
    const char *name;
    int value; /* of rf_type_choice */
};

struct rf_field {
    const char *name; /* dotted, from the table's object: "node.id" */
    const struct rf_type *type;
    size_t offset; /* in the table's object */
    bool required;
    const char *fallback;      /* the default, as one would write it; NULL: zeroed */
    const char *fallback_note; /* the default in words where it is no fixed value; or NULL */
    const char *help;          /* one sentence (or two) for the reference and editors */
    const char *example;       /* a value, as one would write it */
    uint64_t min, max;         /* of numbers and sizes; of lists: how many entries */
    const struct rf_pattern *pattern;
    const struct rf_choice *choices;
    const struct rf_table *element; /* of rf_type_objects */
    size_t count_offset;            /* of lists: the size_t beside the array */
};

struct rf_table {
    const struct rf_field *rows;
    size_t count;
    size_t size;                       /* of the object */
    size_t line_offset, column_offset; /* where an element keeps its position; 0: not kept */
};

/* The profile's own table. */
extern const struct rf_table rf_profile_table;

#define RF_TARGET(field, object) ((void *)((char *)(object) + (field)->offset))

/* The next row after `previous` (NULL: the first) that is a direct child of `group` (NULL: of the table itself); NULL at the end. */
const struct rf_field *rf_field_next(const struct rf_table *table, const struct rf_field *group,
                                     const struct rf_field *previous);

/* The last part of its dotted name: "id". */
const char *rf_field_key(const struct rf_field *field);

/* Adds a problem at `node` (its value), with the place's path. */
void rf_place_problem(const struct rf_place *place, const rf_node *node, const char *format, ...) RF_PRINTF(3, 4);

/* The same for a key that is not in the table (or not in the text): at any position, with any path. */
void rf_parse_problem(struct rf_parse *parse, unsigned line, unsigned column, const char *path, const char *format, ...)
    RF_PRINTF(5, 6);

/* Fills an object from a mapping: the rows of `group` (NULL: the table's own). `path` is the mapping's, "" for the document.
 * `node` NULL: the mapping is absent; defaults are filled in and nothing is missing. */
void rf_parse_map(struct rf_parse *parse, const struct rf_table *table, const struct rf_field *group, void *object,
                  const char *path, const rf_node *node);

/* Frees everything that the table's fields hold, not the object itself. */
void rf_table_release(const struct rf_table *table, void *object);

/* The JSON Schema of a mapping; used by the types that hold others. */
json_t *rf_schema_map(const struct rf_table *table, const struct rf_field *group);
