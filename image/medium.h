/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The medium: what the ISO looks like when it is mounted, and whether it can be read whole. Every payload has two checksums in
 * the manifest: SHA-256, for people and for a release, and XXH3-128, for the machine: the installer wants to know that the
 * medium was read right, who made it is not a question that the medium could answer about itself. Under emulation, for the
 * root of 336 MB: sha256 17.9 s, BLAKE2b 3.5 s, XXH3 0.6 s, reading alone 4.0 s.
 */
#pragma once

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

#define RF_MEDIUM_MANIFEST_FILE "/richtfest/manifest.json" /* all paths count from the medium's top */
#define RF_MEDIUM_ROOT_FILE "/live/root.squashfs"
#define RF_MEDIUM_KERNEL_FILE "/live/vmlinuz"
#define RF_MEDIUM_INITRD_FILE "/live/initrd.img"
#define RF_MEDIUM_GUESTS_DIR "/guests" /* NAME.qcow2 each: what a recipe's `image` names */

#define RF_MANIFEST_FORMAT 1
#define RF_MANIFEST_MAX (1U << 20)
#define RF_PAYLOADS_MAX 256

struct rf_payload {
    char *path; /* from the medium's top: "/live/root.squashfs" */
    uint64_t size;
    uint64_t unpacked;   /* bytes that it becomes on disk (root: files, guests: virtual size); 0: not said */
    uint64_t files;      /* of the root; 0: not said */
    char *sha256, *xxh3; /* hexadecimal */
};

typedef struct rf_medium {
    char *version; /* of the program on it */
    char *kernel;  /* release: "6.12.117+deb13-amd64" */
    struct rf_payload *payloads;
    size_t payloads_count;
} rf_medium;

/* The manifest below the mounted medium. RF_FAILED where it can't be read, is none, or is of a format that this program does
 * not know. */
int rf_medium_load(const char *medium_dir, rf_medium **ret_medium, rf_error **err);
void rf_medium_free(rf_medium *medium);
RF_GUARD(rf_medium, rf_medium_free);
#define rf_automedium RF_CLEANUP(rf_guard_rf_medium)

/* From a manifest that is there already. */
int rf_medium_from_json(const json_t *manifest, rf_medium **ret_medium, rf_error **err);

/* The names are in the list (NULL: in none), which ends with NULL. */
bool rf_medium_named(char *const *names, const char *name);

/* Whether every installation needs the payload: all but recipes' images. */
bool rf_medium_common(const char *path);

/* The payload with that path, or NULL. */
const struct rf_payload *rf_medium_payload(const rf_medium *medium, const char *path);

/* What of a medium is read; all of it where there is none. */
struct rf_medium_choice {
    bool common;         /* what every installation needs: everything but the recipes' images (their base is common) */
    char *const *images; /* those images too: "crm.qcow2", NULL-terminated; or NULL */
};

/* Reads the chosen payloads (NULL: every one) whole and compares size and XXH3-128; the first that differs or can't be read is RF_FAILED
 * and named, with what to do, as is a chosen image that the medium does not have. Writes nothing; blocks as long as reading takes.
 * `progress` (may be NULL) gets bytes read of all that are chosen. */
int rf_medium_verify(const char *medium_dir, const struct rf_medium_choice *choice,
                     void (*progress)(void *data, uint64_t done, uint64_t total), void *data, rf_error **err);

/* XXH3-128 of a file as 32 hexadecimal digits and a NUL. */
int rf_xxh3_file(const char *path, char ret_hex[33], void (*progress)(void *data, uint64_t done), void *data,
                 rf_error **err);
