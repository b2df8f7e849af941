/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key of a cached piece: SHA-256 over everything that it depends on. The inputs are kept as text, one line each, so that a
 * person can see why something was made again: `diff` of two pieces' "inputs" files.
 */
#pragma once

#include "base/digest.h"
#include "base/error.h"

struct rf_key {
    char *inputs; /* "NAME VALUE\n" each, in the order in which they were added */
};

void rf_key_clear(struct rf_key *key);

/* A value: an option, a version, another piece's key. Newlines in it become blanks. */
void rf_key_add(struct rf_key *key, const char *name, const char *value);

/* A file's content, or a tree's (names, kinds, modes, contents, targets of links; not times and owners). An absent path is
 * RF_FAILED. `name` stands in the inputs instead of the path, which differs from machine to machine. */
int rf_key_add_file(struct rf_key *key, const char *name, const char *path, rf_error **err);
int rf_key_add_tree(struct rf_key *key, const char *name, const char *path, rf_error **err);

/* SHA-256 over the inputs. */
void rf_key_digest(const struct rf_key *key, char ret_hex[RF_SHA256_HEX]);
