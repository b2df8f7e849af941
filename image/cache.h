/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cache: one directory per piece, named NAME-KEY (the first 16 digits of its key). A piece is made in ".new-NAME" beside
 * it and renamed last, so one with its name is complete. What a killed run left, and pieces of older keys, are removed.
 */
#pragma once

#include "base/error.h"
#include "image/key.h"

#include <stdbool.h>

struct rf_piece {
    char *name; /* "node-root"; of letters, digits, "-" and "." */
    struct rf_key key;
    char digest[RF_SHA256_HEX];
    char *path; /* CACHE/NAME-KEY */
    char *new;  /* CACHE/.new-NAME */
};

/* Fixes the piece's key and paths; its inputs are complete. */
void rf_piece_seal(struct rf_piece *piece, const char *cache, const char *name);
void rf_piece_clear(struct rf_piece *piece);

/* A path inside the finished piece ("root"), or inside the one being made. The caller frees it. */
char *rf_piece_path(const struct rf_piece *piece, const char *below);
char *rf_piece_new_path(const struct rf_piece *piece, const char *below);

/* Is it there? */
bool rf_piece_done(const struct rf_piece *piece);

/* An empty ".new-NAME": what a killed run left in it is removed. */
int rf_piece_begin(const struct rf_piece *piece, rf_error **err);

/* Writes the inputs into it and gives it its name. */
int rf_piece_commit(const struct rf_piece *piece, rf_error **err);

/* Removes ".new-NAME": after a failure. Says nothing where it can't: the next run does it again. */
void rf_piece_abandon(const struct rf_piece *piece);

/* Opens the cache for one build: makes it, locks it (RF_FAILED where another build has it), removes every ".new-…". Refuses a
 * directory that holds other things than pieces (RF_USAGE): pieces get removed. *ret_fd is the lock; closing it ends it. */
int rf_cache_open(const char *cache, int *ret_fd, rf_error **err);

/* Removes the pieces that are none of `pieces`. */
int rf_cache_prune(const char *cache, const struct rf_piece *const *pieces, size_t count, rf_error **err);
