/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program, compiled by the image's own suite. Sources and objects stay in the build root between builds, so that make
 * compiles what changed; where the Makefile or the version changed, everything.
 */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/tree.h"

#include <string.h>

enum { SECONDS = 900 };

#define WORK "/richtfest" /* in the build root: source/, build/, stage/ */

/* What the program is built from. */
static const char *const rooms[] = {"base", "profiles", "raid", "postinstall", "image", "installer"};
static const char *const files[] = {"Makefile", "VERSION"};

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    rf_build_depends(piece, &rf_piece_build_root);
    rf_key_add(&piece->cached.key, "flags", "-O2 -s");
    for (size_t i = 0; i < RF_COUNT(files); i++) {
        rf_autofree char *path = rf_format("%s/%s", build->source, files[i]);
        if (rf_key_add_file(&piece->cached.key, files[i], path, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < RF_COUNT(rooms); i++) {
        rf_autofree char *path = rf_format("%s/%s", build->source, rooms[i]);
        if (rf_key_add_tree(&piece->cached.key, rooms[i], path, err) < 0)
            return -1;
    }
    return 0;
}

/* The same text? Then its objects are still right. */
static bool same(const char *a, const char *b)
{
    char one[RF_SHA256_HEX], two[RF_SHA256_HEX];
    return rf_sha256_file(a, one, NULL, NULL, NULL) == 0 && rf_sha256_file(b, two, NULL, NULL, NULL) == 0 &&
           strcmp(one, two) == 0;
}

static int bring_file(const rf_build *build, const char *work, const char *name, rf_error **err)
{
    rf_autofree char *from = rf_format("%s/%s", build->source, name);
    rf_autofree char *to = rf_format("%s/source/%s", work, name);
    rf_autofree char *objects = rf_format("%s/build", work);
    if (same(from, to))
        return 0;
    if (rf_remove_tree(objects, err) < 0)
        return -1;
    return rf_copy_file(from, to, 0644, NULL, NULL, err);
}

static int bring_sources(const rf_build *build, const char *work, rf_error **err)
{
    rf_autofree char *source = rf_format("%s/source", work), *stage = rf_format("%s/stage", work);
    if (rf_make_dirs(source, 0755, err) < 0 || rf_remove_tree(stage, err) < 0)
        return -1;
    for (size_t i = 0; i < RF_COUNT(files); i++)
        if (bring_file(build, work, files[i], err) < 0)
            return -1;
    for (size_t i = 0; i < RF_COUNT(rooms); i++) {
        rf_autofree char *from = rf_format("%s/%s", build->source, rooms[i]);
        rf_autofree char *to = rf_format("%s/%s", source, rooms[i]);
        if (rf_tree_sync(from, to, err) < 0)
            return -1;
    }
    return 0;
}

struct compiling {
    struct rf_step_env *env;
    uint64_t done;
};

/* One line of make per object: "gcc … -c FILE". */
static void count_objects(void *data, const char *text, size_t size)
{
    struct compiling *self = data;
    const uint64_t before = self->done;
    for (const char *at = text; (at = memmem(at, size - (size_t)(at - text), " -c ", 4)); at += 4)
        self->done++;
    if (self->done != before)
        rf_step_progress(self->env, self->done, 0, "files");
}

static int compile(struct rf_step_env *env, const char *root, rf_error **err)
{
    struct compiling compiling = {.env = env};
    rf_autofree char *jobs = rf_format("-j%ld", sysconf(_SC_NPROCESSORS_ONLN));
    /* What a make around this program was told is not meant for the make inside. */
    static const char *const clean[] = {"MAKEFLAGS=", "MFLAGS=", "CC=gcc", "CPPFLAGS=", "TMPDIR=/tmp", NULL};
    const struct rf_command command = {.argv = RF_CHROOT_ARGV(root, "make", "-C", WORK "/source", jobs,
                                                              "BUILD=" WORK "/build", "CFLAGS=-O2", "LDFLAGS=-s",
                                                              "DESTDIR=" WORK "/stage", "PREFIX=/usr", "install"),
                                       .seconds = SECONDS,
                                       .env = clean,
                                       .on_output = count_objects,
                                       .data = &compiling};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *root = rf_build_path(build, &rf_piece_build_root, "root");
    rf_autofree char *work = rf_format("%s%s", root, WORK);
    rf_autofree char *stage = rf_format("%s/stage", work);
    rf_autofree char *kept = rf_piece_new_path(&piece->cached, "root");
    if (bring_sources(build, work, err) < 0 || compile(env, root, err) < 0)
        return -1;
    return rf_tree_sync(stage, kept, err);
}

const struct rf_piece_ops rf_piece_program = {.name = "program",
                                              .title = "Compile the program",
                                              .lane = RF_LANE_TOOLS,
                                              .inputs = inputs,
                                              .make = make};
