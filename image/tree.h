/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees of files: walked in a fixed order, copied into a root file system. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* Told each entry: `path` as it can be opened, `below` the part below the tree's top. -1 ends the walk. */
typedef int rf_tree_visit(void *data, const char *path, const char *below, const struct stat *status, rf_error **err);

/* Visits everything below `top` (not itself), sorted by name (bytewise), a directory before what is in it. Symbolic links are
 * not followed. */
int rf_tree_walk(const char *top, rf_tree_visit *visit, void *data, rf_error **err);

/* Does the directory that `path` stands in, all links followed, lie in `root`? A root file system's absolute links (var/run -> /run)
 * lead to the building machine's own directories. False where there is no such directory. */
bool rf_tree_inside(const char *root, const char *path);

/*
 * Copies the tree `from` over the tree `to`: directories (0755 where they are new), regular files (0755 where `from` may be
 * executed by its owner, else 0644), links. What is in the way is replaced, never written into: files of `to` may be
 * hard-linked to somewhere else. Owner is who runs it; times are `date`. Names of files that end in ".gitkeep" are left out. RF_FAILED
 * where a link of `to` leads out of it. May be repeated; a kill leaves a part.
 */
int rf_tree_overlay(const char *from, const char *to, time_t date, rf_error **err);

/* Makes `to` the same tree as `from`, regular files and links and directories: what is equal already keeps its times (for
 * make), what `from` does not have is removed. */
int rf_tree_sync(const char *from, const char *to, rf_error **err);

/* Replaces one file by `text`, not writing into a hard-linked one. */
int rf_tree_put(const char *root, const char *path, const char *text, mode_t mode, time_t date, rf_error **err);

/* Gives a tree that came from elsewhere the owner, modes (0755, 0644) and times of one of ours. */
int rf_tree_normalise(const char *top, time_t date, rf_error **err);

/* What is newer than `date` gets that date: when an image was built is not written in it. */
int rf_tree_clamp(const char *top, time_t date, rf_error **err);

struct rf_tree_sum {
    uint64_t bytes, files; /* of everything but directories */
};

/* Adds up a tree. */
int rf_tree_measure(const char *top, struct rf_tree_sum *ret_sum, rf_error **err);
