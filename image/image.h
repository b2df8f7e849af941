/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The three things that are done with images: build one, customise a finished one in place, look into one. */
#pragma once

#include "base/command.h"
#include "base/event.h"
#include "base/json.h"
#include "base/problem.h"
#include "base/step.h"

#include <stdbool.h>

/* Strings are borrowed; NULL (and false) is the default that stands behind each. */
struct rf_image_options {
    const char *output; /* the ISO: "richtfest.iso"; OUTPUT.sha256 and OUTPUT.json are written beside it */
    const char
        *cache; /* what is built once and used again: "richtfest-cache" beside the output. A directory of its own: old
                            pieces in it are removed */
    const char *suite;       /* "trixie", the only one so far: another one is RF_USAGE */
    const char *mirror;      /* the archive: what the machine's apt uses */
    const char *keyring;     /* "/usr/share/keyrings/debian-archive-keyring.gpg" */
    const char *source;      /* the project's checkout: the one that the program stands in */
    const char *recipes;     /* "postinstall/recipes" in that checkout */
    const char *data;        /* "image/data" in that checkout */
    const char *recipe;      /* only these recipes' images: "nextcloud,tryton"; NULL: all */
    const char *guests_only; /* no ISO: the guests' images (base and overlays) are put into this directory */
    const char *artefacts;   /* a folder with artefacts that were placed there by hand: "artefacts" beside the cache */
    const char *artefact_mirror; /* URL/FILE is tried before the publisher's place; NULL: none */
    bool refresh;        /* take the archive's packages of today, even where the cache has older ones that fit */
    const char *kill_at; /* as in rf_apply_options: for tests */
};

/*
 * Builds the ISO. Looks first whether the machine can do it: root, tools (each missing one is named with the package that has
 * it), room on the disk, key of the suite, all said at once (RF_BAD_MACHINE, nothing written). Then a plan of steps, each cached
 * under a key that holds everything it depends on (image/cache.h): only what changed is made again. Blocks for minutes.
 * Repeating it without a change does nothing; a kill leaves the old output or the new one, and rubbish in the cache that the
 * next run removes. An artefact (image/artefact.h) that can't be had spoils nothing: its recipe's image is built without it, and a
 * `waiting` event at the end says so. SOURCE_DATE_EPOCH from the environment dates everything; without it the archive's own date does.
 * `summary` may be NULL.
 */
int rf_image_build(const struct rf_image_options *options, rf_runner *runner, rf_events *events,
                   struct rf_apply_summary *summary, rf_error **err);

/* The plan as rf_plan_text prints it, without building anything. The caller frees it. Same checks, same errors. */
int rf_image_build_plan(const struct rf_image_options *options, rf_runner *runner, char **ret_text, rf_error **err);

#define RF_KERNEL_ARGUMENTS_MAX 512

/* Exactly one of profile_url, profile and reset; whatever else is not given is taken out. */
struct rf_customize_options {
    const char *iso;
    const char *output;      /* write there: a copy is customised; NULL: in place */
    const char *profile_url; /* http or https */
    /* The profile's file as messages call it, its text, and its node.id: read and validated by the caller, who knows the recipes
     * too. */
    const char *profile;
    const char *profile_text;
    size_t profile_size;
    const char *profile_node_id;
    /* For the kernel of the live system and of the installed node ("console=ttyS1,115200"), up to RF_KERNEL_ARGUMENTS_MAX bytes; or
     * NULL. GRUB takes it word by word: no quotes, and nothing that GRUB or the kernel would read as more than a word. */
    const char *kernel_arguments;
    bool reset; /* neither of the two: as it left the builder */
    /* The file with certificates of further CAs as messages call it, and its text (PEM); NULL: none. */
    const char *ca;
    const char *ca_text;
    size_t ca_size;
};

/*
 * Writes the profile, or where to fetch it, and the CAs into the reserved region (image/region.h). Two writes of a few kilobytes
 * in a file of any size, and a flush; everything else stays as it is. May be repeated; the last one counts, with all that it
 * says: no CA in it means that none is trusted any more. RF_USAGE: a URL that is none, a profile that does not fit in, or a CA
 * that is none (image/certificates.h) or has expired; RF_BAD_MACHINE: no ISO of ours, or one that is too old for this program. A
 * kill leaves the old content, the new one, or one whose checksum is wrong, which the live system says before it writes anything.
 */
int rf_image_customize(const struct rf_customize_options *options, rf_error **err);

struct rf_inspect_options {
    const char *iso;
    bool verify; /* read every payload and compare its SHA-256 (seconds) */
};

/* What the ISO holds, secrets redacted: {"iso", "size", "manifest": {…}, "custom": {…}, "verified": bool?}. The caller frees
 * it. With `verify` a wrong checksum is RF_FAILED and names the file. */
int rf_image_inspect_json(const struct rf_inspect_options *options, json_t **ret_json, rf_error **err);

/* The same for people. The caller frees it. */
char *rf_image_inspect_text(const json_t *inspected);
