/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a recipe's document by what is expected. Whatever is missing, of another kind or unknown is added to the problems
 * with FILE:LINE:COLUMN.
 */
#pragma once

#include "base/json.h"
#include "base/problem.h"
#include "profiles/node.h"

#include <stdint.h>

#define RF_READER_PATH 128 /* bytes; longer paths are cut in messages */

/* The keys that a mapping may have: RF_READER_KNOWN(&at, "name", "title"). */
#define RF_READER_KNOWN(at, ...)                                                                                       \
    rf_reader_known(at, (const char *const[]){__VA_ARGS__}, RF_COUNT(((const char *[]){__VA_ARGS__})))

/* A place in the document. */
struct rf_reader {
    const char *file; /* borrowed, as everything here */
    rf_problems *problems;
    const rf_node *node; /* NULL: absent */
    char path[RF_READER_PATH];
};

/* A problem at this place, or at its member `key` (NULL: the place itself). */
void rf_reader_problem(const struct rf_reader *at, const char *key, const char *format, ...) RF_PRINTF(3, 4);

/* Every key of the mapping must be one of `known`, and none may be there twice. */
void rf_reader_known(const struct rf_reader *at, const char *const *known, size_t count);

/* The member, with its path; its node is NULL where it is absent or not of that kind (then a problem was added). */
struct rf_reader rf_reader_map(const struct rf_reader *at, const char *key);
struct rf_reader rf_reader_list(const struct rf_reader *at, const char *key);

/* Scalars; borrowed from the document. NULL or the fallback where absent; `required` makes that a problem. */
const char *rf_reader_string(const struct rf_reader *at, const char *key, bool required);
uint64_t rf_reader_integer(const struct rf_reader *at, const char *key, uint64_t fallback, uint64_t max);
bool rf_reader_boolean(const struct rf_reader *at, const char *key, bool fallback);
uint64_t rf_reader_size(const struct rf_reader *at, const char *key);

/* The index-th entry of a list or mapping, false behind the last. Its key is entry.node->key. */
bool rf_reader_entry(const struct rf_reader *at, size_t index, struct rf_reader *ret_entry);

/* A list of texts as a JSON array of strings (empty where absent). The caller owns it. */
json_t *rf_reader_strings(const struct rf_reader *at, const char *key);

/* The same for a command: its first word must be an absolute path, because no shell and no PATH finds it. */
json_t *rf_reader_argv(const struct rf_reader *at, const char *key);

/* The member as JSON, whatever it is (profiles/value.h); NULL where absent. The caller owns it. */
json_t *rf_reader_json(const struct rf_reader *at, const char *key);

/* The index of the word that the text is, `fallback` where it is absent; anything else is a problem. */
size_t rf_reader_word(const struct rf_reader *at, const char *key, const char *const *words, size_t count,
                      size_t fallback);
