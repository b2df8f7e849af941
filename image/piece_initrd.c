/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The initrd of the live system and of the node: one for both. It is made by a program of the node's own
 * (/usr/lib/richtfest/initrd/mkinitrd), which the node also runs when its kernel is updated. Nothing of the program `richtfest` is
 * inside, so that it is not made again with it.
 */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/tree.h"

enum { SECONDS = 300 };

#define FILES "root/usr/lib/richtfest/initrd"
#define SCRATCH "/tmp/richtfest-initrd" /* in the node root; of no piece that is packed */

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)build;
    rf_build_depends(piece, &rf_piece_node_root);
    return rf_build_depends_data(piece, FILES, err);
}

static int run_mkinitrd(struct rf_step_env *env, const rf_build *build, const char *root, rf_error **err)
{
    rf_autofree char *kernel_file = rf_build_path(build, &rf_piece_node_root, "kernel");
    rf_autofree char *release = rf_read_line(kernel_file);
    rf_autofree char *date = rf_format("SOURCE_DATE_EPOCH=%lld", (long long)build->date);
    const char *const envs[] = {date, "TMPDIR=/tmp", NULL};
    const struct rf_command command = {
        .argv = RF_CHROOT_ARGV(root, SCRATCH "/mkinitrd", release ? release : "KERNEL", SCRATCH "/initrd.img"),
        .seconds = SECONDS,
        .env = envs};
    rf_autoresult struct rf_result result = {0};
    return rf_run(env->runner, &command, &result, err);
}

static int make_in(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, const char *root,
                   const char *scratch, rf_error **err)
{
    rf_autofree char *files = rf_build_data(build, FILES);
    rf_autofree char *made = rf_format("%s/initrd.img", scratch);
    rf_autofree char *kept = rf_piece_new_path(&piece->cached, "initrd.img");
    if (rf_make_dirs(scratch, 0755, err) < 0 || rf_tree_overlay(files, scratch, build->date, err) < 0)
        return -1;
    if (run_mkinitrd(env, build, root, err) < 0)
        return -1;
    return rf_copy_file(made, kept, 0644, NULL, NULL, err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *root = rf_build_path(build, &rf_piece_node_root, "root");
    rf_autofree char *scratch = rf_format("%s%s", root, SCRATCH);
    if (rf_remove_tree(scratch, err) < 0)
        return -1;
    int outcome = make_in(env, build, piece, root, scratch, err);
    rf_remove_tree(scratch, NULL);
    return outcome;
}

const struct rf_piece_ops rf_piece_initrd = {.name = "initrd",
                                             .title = "Make the initrd",
                                             .lane = RF_LANE_NODE,
                                             .inputs = inputs,
                                             .make = make};
