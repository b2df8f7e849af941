/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A compiler of the image's own suite, and the boot loaders that go into guests' disks. */
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    rf_key_add(&piece->cached.key, "recipe", "1");
    rf_key_add(&piece->cached.key, "suite", build->suite);
    rf_key_add(&piece->cached.key, "sources", build->archive.sources);
    rf_key_add(&piece->cached.key, "archive", build->archive.state);
    if (rf_build_depends_data(piece, "build.packages", err) < 0)
        return -1;
    return rf_build_depends_data(piece, "build.dpkg", err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *root = rf_piece_new_path(&piece->cached, "root");
    rf_autofree char *packages_file = rf_piece_new_path(&piece->cached, "packages");
    rf_autofree char *dpkg = rf_build_data(build, "build.dpkg");
    rf_autowords char **packages = NULL;
    if (rf_build_words(build, "build.packages", &packages, err) < 0)
        return -1;
    const struct rf_debstrap wanted = {.root = root,
                                       .suite = build->suite,
                                       .sources = build->archive.sources,
                                       .dpkg_options = dpkg,
                                       .packages = packages,
                                       .date = build->date};
    if (rf_debstrap(env, &wanted, err) < 0)
        return -1;
    return rf_chroot_packages(env->runner, root, packages_file, err);
}

const struct rf_piece_ops rf_piece_build_root = {.name = "build-root",
                                                 .title = "Unpack the compiler",
                                                 .lane = RF_LANE_TOOLS,
                                                 .for_guests = true,
                                                 .inputs = inputs,
                                                 .make = make};
