/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The root file system as it is booted live and copied to disk: the node's packages, what Richtfest adds, the initrd, the program. The
 * tree is a copy by hard links, so making it costs seconds, and packing takes about ten more: a second, small squashfs for the
 * program alone would save those and cost every reader of the medium a second case.
 */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/clean.h"
#include "image/progress.h"
#include "image/tree.h"

#include <inttypes.h>
#include <string.h>

enum { SECONDS = 900 };

/* Level 9 and not more: 15 takes eleven times as long for 3 % less. Blocks of 256 KiB: half the seeks of 128 KiB, and the memory of two
 * processors reading at once stays below a MiB. */
static const char *const packing[] = {"-comp", "zstd",       "-Xcompression-level", "9", "-b",
                                      "256K",  "-no-xattrs", "-noappend",           NULL};

static const char *const data_files[] = {"root", "node.enable", "node.mask", "node.remove"};

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)build;
    for (size_t i = 0; packing[i]; i++)
        rf_key_add(&piece->cached.key, "packing", packing[i]);
    rf_key_add(&piece->cached.key, "recipe", "1");
    rf_build_depends(piece, &rf_piece_node_root);
    rf_build_depends(piece, &rf_piece_initrd);
    rf_build_depends(piece, &rf_piece_program);
    for (size_t i = 0; i < RF_COUNT(data_files); i++)
        if (rf_build_depends_data(piece, data_files[i], err) < 0)
            return -1;
    return 0;
}

static int add_initrd(const rf_build *build, const char *root, rf_error **err)
{
    rf_autofree char *kernel_file = rf_build_path(build, &rf_piece_node_root, "kernel");
    rf_autofree char *release = rf_read_line(kernel_file);
    rf_autofree char *from = rf_build_path(build, &rf_piece_initrd, "initrd.img");
    rf_autofree char *to = rf_format("%s/boot/initrd.img-%s", root, release ? release : "KERNEL");
    return rf_copy_file(from, to, 0644, NULL, NULL, err);
}

static int fill_root(struct rf_step_env *env, const rf_build *build, const char *root, rf_error **err)
{
    rf_autofree char *packages = rf_build_path(build, &rf_piece_node_root, "root");
    rf_autofree char *program = rf_build_path(build, &rf_piece_program, "root");
    rf_autofree char *ours = rf_build_data(build, "root");
    rf_autowords char **enable = NULL, **mask = NULL, **remove = NULL;
    if (rf_build_words(build, "node.enable", &enable, err) < 0 || rf_build_words(build, "node.mask", &mask, err) < 0 ||
        rf_build_words(build, "node.remove", &remove, err) < 0)
        return -1;
    if (rf_run_argv(env->runner, RF_ARGV("cp", "--archive", "--link", "--no-target-directory", packages, root), err) <
        0)
        return -1;
    if (rf_tree_overlay(ours, root, build->date, err) < 0 || rf_tree_overlay(program, root, build->date, err) < 0)
        return -1;
    if (add_initrd(build, root, err) < 0 || rf_chroot_units(env->runner, root, enable, mask, err) < 0)
        return -1;
    return rf_root_clean(root, remove, build->date, err);
}

/* "BYTES FILES": what the payload becomes on disk, for the installer's progress. */
static int write_sum(const rf_build_piece *piece, const char *root, rf_error **err)
{
    struct rf_tree_sum sum;
    if (rf_tree_measure(root, &sum, err) < 0)
        return -1;
    rf_autofree char *path = rf_piece_new_path(&piece->cached, "sum");
    rf_autofree char *text = rf_format("%" PRIu64 " %" PRIu64 "\n", sum.bytes, sum.files);
    return rf_write_file(path, text, strlen(text), 0644, err);
}

static int pack(struct rf_step_env *env, const rf_build *build, const char *root, const char *output, rf_error **err)
{
    rf_autofree char *date = rf_format("SOURCE_DATE_EPOCH=%lld", (long long)build->date);
    rf_autofree const char **argv = rf_argv_join(RF_ARGV("mksquashfs", root, output), packing);
    const char *const envs[] = {date, NULL};
    const struct rf_command command = {
        .argv = argv, .seconds = SECONDS, .env = envs, .on_output = rf_progress_mksquashfs, .data = env};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *root = rf_piece_new_path(&piece->cached, "root");
    rf_autofree char *output = rf_piece_new_path(&piece->cached, "root.squashfs");
    if (fill_root(env, build, root, err) < 0 || write_sum(piece, root, err) < 0)
        return -1;
    if (pack(env, build, root, output, err) < 0)
        return -1;
    return rf_remove_tree(root, err);
}

const struct rf_piece_ops rf_piece_squashfs = {.name = "squashfs",
                                               .title = "Pack the root file system",
                                               .lane = RF_LANE_NODE,
                                               .barrier = true,
                                               .inputs = inputs,
                                               .make = make};
