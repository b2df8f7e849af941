/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The room's own view of a build: what every piece and step knows. For the files of this room and their tests. */
#pragma once

#include "base/json.h"
#include "base/step.h"
#include "image/archive.h"
#include "image/artefact_store.h"
#include "image/cache.h"
#include "image/image.h"
#include "image/recipe.h"

#include <time.h>

/* Two lanes for two processors. Each has its own order; what comes after both needs pieces of both. Guests' images are dealt
 * out over both. */
enum rf_build_lane { RF_LANE_ALONE = 0, RF_LANE_NODE = 1, RF_LANE_TOOLS = 2 };

typedef struct rf_build rf_build;
typedef struct rf_build_piece rf_build_piece;

/* A kind of piece: one file image/piece_*.c each, one row each in image/build.c. */
struct rf_piece_ops {
    const char *name;  /* "node-root" */
    const char *title; /* what a person reads */
    enum rf_build_lane lane;
    bool per_recipe; /* one piece for each recipe, "NAME/RECIPE" */
    bool barrier;    /* needs pieces of both lanes: both end before it begins */
    bool for_guests; /* guests' images are made of it, too: built where only they are wanted */

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
    char *guests_only; /* the directory that gets the guests' images, and no ISO is written; or NULL */
    const char *kill_at;
    bool refresh;
    bool bare;     /* for tests with tools that are not real: nothing is mounted in a namespace of its own */
    char *version; /* of the program: the checkout's file VERSION */
    time_t date;   /* SOURCE_DATE_EPOCH, or the archive's date */
    struct rf_archive archive;       /* which packages there are */
    struct rf_image_recipe *recipes; /* all; only the wanted ones are built */
    size_t recipes_count;
    struct rf_artefacts artefacts;
    struct rf_artefact_store store;
    char *folder, *mirror, *keys; /* of the store */
    char **waiting;               /* per artefact: why it can't be had; NULL: it is there, or nobody wants it */
    rf_build_piece *pieces;       /* in the order of the table in image/build.c */
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

struct rf_unpack {
    const char *name;  /* image/data/NAME.packages and NAME.dpkg */
    const char *early; /* the rest as in image/debstrap.h */
    bool keep_lists;
};

/* Unpacks the packages of image/data/NAME.packages with the dpkg options of NAME.dpkg into the new piece's "root", and writes
 * "PACKAGE VERSION" of what came to its "packages". */
int rf_build_unpack(struct rf_step_env *env, const rf_build_piece *piece, const struct rf_unpack *wanted,
                    rf_error **err);

/* File name of the guests' base: "base-DIGEST.qcow2", after what is in it, so that no overlay can ever lie upon another one. Only
 * when the piece is there. The caller frees it. */
char *rf_build_base_name(const rf_build *build, rf_error **err);

/* Links the base and the wanted recipes' images into an empty directory of the cache's file system. */
int rf_build_link_guests(const rf_build *build, const char *directory, rf_error **err);

extern const struct rf_piece_ops rf_piece_node_root, rf_piece_initrd, rf_piece_build_root, rf_piece_program,
    rf_piece_guest_packages, rf_piece_guest_base, rf_piece_guest_image, rf_piece_squashfs, rf_piece_manifest;
extern const struct rf_step_ops rf_step_iso, rf_step_checksum, rf_step_guests; /* their argument is the rf_build */

/* Options resolved, recipes and artefacts read; nothing is asked or made. For what deals with artefacts alone. */
int rf_build_look(const struct rf_image_options *options, rf_build **ret_build, rf_error **err);

/* Options resolved, archive asked, recipes and artefacts read. The cache is open and locked by the caller. */
int rf_build_open(const struct rf_image_options *options, rf_runner *runner, rf_build **ret_build, rf_error **err);

/* Fetches the artefacts that the wanted recipes name and that are not in the cache. One that can't be had is a `waiting` event and
 * a word in build->waiting, and nothing more: its recipe is built without it. With `runner` NULL nothing is fetched; only
 * what can't be fetched at all (no checksum) waits. */
void rf_build_fetch(rf_build *build, rf_runner *runner, rf_events *events);

/* The artefact waits or is not; the lines of image/piece_guest_image.c's key about it. */
bool rf_build_waits(const rf_build *build, const struct rf_artefact *artefact);

/* The recipes that are built and name it: "nextcloud, dolibarr"; NULL: none. The caller frees it. */
char *rf_build_wanted_by(const rf_build *build, const struct rf_artefact *artefact);

/* An event of what is told like a step, but is none of a plan. Negative `seconds`: not said. */
void rf_build_tell(rf_events *events, const struct rf_step *step, enum rf_state state, double seconds,
                   const char *message);

/* "waiting for artefact …" for each, with what to do. */
void rf_build_say_waiting(const rf_build *build, rf_events *events);

/* About one artefact, as the manifests say it: {"name", "version", "state": "included"|"waiting", "licence", "file", "url",
 * "mirrors", "sha256", "size" (at most), "format", "strip"}; about all that are wanted, with "recipes". The caller owns them. */
json_t *rf_build_artefact_json(const rf_build *build, const struct rf_artefact *artefact);
json_t *rf_build_artefacts_json(const rf_build *build);

/* The keys of all pieces: after the artefacts. The plan's steps point into the build. */
int rf_build_seal(rf_build *build, rf_error **err);
void rf_build_free(rf_build *build);
RF_GUARD(rf_build, rf_build_free);
#define rf_autobuild RF_CLEANUP(rf_guard_rf_build)

/* What is to be built, in order. Pure. */
rf_plan *rf_build_plan(const rf_build *build);
