/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real ISO, made by xorriso: one payload, a manifest, and the regions where they are wanted. */
#pragma once

#include "base/digest.h"
#include "image/envblk.h"
#include "image/image.h"
#include "image/isofile.h"
#include "image/manifest.h"
#include "image/region.h"
#include "tests/unit/unit.h"

struct fixture {
    char *directory, *iso;
    rf_runner *runner;
};

static inline void put(const struct fixture *self, const char *path, const void *bytes, size_t size)
{
    rf_autofree char *file = rf_format("%s/tree%s", self->directory, path), *above = rf_strdup(file);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(file, bytes, size, 0644, NULL), 0);
}

static inline void put_manifest(const struct fixture *self)
{
    char sha256[RF_SHA256_HEX], xxh3[33];
    rf_autofree char *file = rf_format("%s/tree%s", self->directory, RF_MEDIUM_ROOT_FILE);
    assert_int_equal(rf_sha256_file(file, sha256, NULL, NULL, NULL), 0);
    assert_int_equal(rf_xxh3_file(file, xxh3, NULL, NULL, NULL), 0);
    const struct rf_payload payload = {
        .path = (char *)RF_MEDIUM_ROOT_FILE, .size = 100000, .sha256 = sha256, .xxh3 = xxh3};
    rf_autojson json_t *artefacts =
        json_pack("[{s:s,s:s,s:s,s:s}]", "name", "cloud", "version", "34", "recipes", "nextcloud", "state", "waiting");
    rf_autojson json_t *json = rf_manifest_json(&(struct rf_manifest){.version = "0.1.0",
                                                                      .artefacts = artefacts,
                                                                      .suite = "trixie",
                                                                      .kernel = "k",
                                                                      .archive = "a",
                                                                      .sources = "s",
                                                                      .payloads = &payload,
                                                                      .payloads_count = 1});
    rf_autofree char *text = rf_json_text(json);
    put(self, RF_MEDIUM_MANIFEST_FILE, text, strlen(text));
}

static inline void make_iso(const struct fixture *self)
{
    rf_autofree char *tree = rf_format("%s/tree", self->directory);
    const char *const argv[] = {"xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-o", self->iso, tree, NULL};
    assert_int_equal(rf_run_argv(self->runner, argv, NULL), 0);
}

static inline bool start(struct fixture *self, bool regions)
{
    *self = (struct fixture){.directory = unit_directory(), .runner = rf_runner_real()};
    self->iso = rf_format("%s/a.iso", self->directory);
    rf_autofree char *payload = rf_alloc(100000), *region = NULL;
    memset(payload, 'p', 100000);
    put(self, RF_MEDIUM_ROOT_FILE, payload, 100000);
    put_manifest(self);
    char envblk[RF_ENVBLK_SIZE];
    assert_int_equal(rf_region_format(&(struct rf_region){0}, &region, NULL), 0);
    assert_int_equal(rf_envblk_format(&(struct rf_envblk_variable){RF_SOURCE_VARIABLE, ""}, 1, envblk, NULL), 0);
    if (regions) {
        put(self, RF_REGION_FILE, region, RF_REGION_SIZE);
        put(self, RF_ENVBLK_FILE, envblk, sizeof(envblk));
    }
    if (rf_run_argv(self->runner, RF_ARGV("xorriso", "-version"), NULL) < 0) {
        print_message("skipped: xorriso is not installed\n");
        return false;
    }
    make_iso(self);
    return true;
}

static inline void finish(struct fixture *self)
{
    rf_remove_tree(self->directory, NULL);
    rf_runner_free(self->runner);
    free(self->directory);
    free(self->iso);
}

#define FIXTURE(self, regions)                                                                                         \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    if (!start(&self, regions))                                                                                        \
    skip()

static inline char *read_iso(const struct fixture *self, size_t *ret_size)
{
    char *bytes = NULL;
    assert_int_equal(rf_read_file(self->iso, 16 << 20, &bytes, ret_size, NULL), 0);
    return bytes;
}
