/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A compiler of the image's own suite, and the boot loaders that go into guests' disks. */
#include "image/build.h"

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)build;
    rf_key_add(&piece->cached.key, "recipe", "1");
    rf_build_depends_archive(piece);
    if (rf_build_depends_data(piece, "build.packages", err) < 0)
        return -1;
    return rf_build_depends_data(piece, "build.dpkg", err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    (void)build;
    const struct rf_unpack wanted = {.name = "build"};
    return rf_build_unpack(env, piece, &wanted, err);
}

const struct rf_piece_ops rf_piece_build_root = {.name = "build-root",
                                                 .title = "Unpack the compiler",
                                                 .lane = RF_LANE_TOOLS,
                                                 .for_guests = true,
                                                 .inputs = inputs,
                                                 .make = make};
