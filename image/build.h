/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The room's own view of a build: what every piece and step knows. For the files of this room and their tests. */
#pragma once

#include "base/step.h"
#include "image/archive.h"
#include "image/cache.h"
#include "image/image.h"
#include "image/recipe.h"

#include <time.h>

/* Two lanes for two processors. Each has its own order; what comes after both needs pieces of both. */
enum rf_build_lane { RF_LANE_ALONE = 0, RF_LANE_NODE = 1, RF_LANE_TOOLS = 2 };

typedef struct rf_build rf_build;
typedef struct rf_build_piece rf_build_piece;

/* A kind of piece: one file image/piece_*.c each, one row each in image/build.c. */
struct rf_piece_ops {
    const char *name;  /* "node-root" */
    const char *title; /* what a person reads */
    enum rf_build_lane lane;
    bool per_recipe; /* one piece for each recipe, "NAME/RECIPE" */

    /* Adds everything to piece->cached.key that the piece depends on. Reads, and changes nothing. */
    int (*inputs)(const rf_build *build, rf_build_piece *piece, rf_error **err);

    /* Makes it in rf_piece_new_path(&piece->cached, …). What it leaves elsewhere it removes itself. */
    int (*make)(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err);
};

struct rf_build_piece {
    const struct rf_piece_ops *ops;
    const rf_build *build;
    const struct rf_image_recipe *recipe; /* where ops->per_recipe; else NULL */
    struct rf_piece cached;
    char *id; /* "guest-image/active-directory" */
};

struct rf_build {
    char *output, *cache, *suite, *keyring, *source, *recipes_dir, *data;
    const char *kill_at;
    bool refresh;
    char *version;             /* of the program: the checkout's file VERSION */
    time_t date;               /* SOURCE_DATE_EPOCH, or the archive's date */
    struct rf_archive archive; /* which packages there are */
    struct rf_image_recipe *recipes;
    size_t recipes_count;
    rf_build_piece *pieces; /* in the order of the table in image/build.c */
    size_t pieces_count;
};

/* The only piece of a kind; of a recipe. Never NULL for kinds whose row is above the caller's. */
const rf_build_piece *rf_build_piece_of(const rf_build *build, const struct rf_piece_ops *ops,
                                        const struct rf_image_recipe *recipe);

/* "CACHE/PIECE-KEY/BELOW" of a finished piece. The caller frees it. */
char *rf_build_path(const rf_build *build, const struct rf_piece_ops *ops, const char *below);

/* A path below image/data; a list in such a file: one word a line, "#" begins a comment. The caller frees it by
 * rf_words_free. */
char *rf_build_data(const rf_build *build, const char *below);
int rf_build_words(const rf_build *build, const char *below, char ***ret_words, rf_error **err);
void rf_words_free(char **words); /* NULL-terminated; NULL is fine */

static inline void rf_guard_words(char ***words)
{
    rf_words_free(*words);
}

#define rf_autowords RF_CLEANUP(rf_guard_words)

/* Adds another piece's key to this one's. */
void rf_build_depends(rf_build_piece *piece, const struct rf_piece_ops *ops);

/* Adds a file or tree of image/data to the key. */
int rf_build_depends_data(rf_build_piece *piece, const char *below, rf_error **err);

/* Adds which packages there are to the key. */
void rf_build_depends_archive(rf_build_piece *piece);

/* Unpacks the packages of image/data/NAME.packages, and those of the piece's recipe where it has one, with the dpkg options of
 * NAME.dpkg into the new piece's "root", and writes "PACKAGE VERSION" of what came to its "packages". `early` as in
 * image/debstrap.h. */
int rf_build_unpack(struct rf_step_env *env, const rf_build_piece *piece, const char *name, const char *early,
                    rf_error **err);

extern const struct rf_piece_ops rf_piece_node_root, rf_piece_initrd, rf_piece_build_root, rf_piece_program,
    rf_piece_guest_image, rf_piece_squashfs, rf_piece_manifest;
extern const struct rf_step_ops rf_step_iso, rf_step_checksum; /* their argument is the rf_build */

/* Everything up to the plan: options resolved, archive asked, keys made. The cache is open and locked by the caller. The plan's steps point
 * into the build. */
int rf_build_new(const struct rf_image_options *options, rf_runner *runner, rf_build **ret_build, rf_error **err);
void rf_build_free(rf_build *build);
RF_GUARD(rf_build, rf_build_free);
#define rf_autobuild RF_CLEANUP(rf_guard_rf_build)

/* Pure. */
rf_plan *rf_build_plan(const rf_build *build);
