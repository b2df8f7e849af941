/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packages of every guest, unpacked, with the package lists that they came from: recipes add theirs from the same lists. What
 * Richtfest adds comes later (piece_guest_base.c), so that it costs no new unpacking. */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/text.h"
#include "image/tree.h"

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)build;
    rf_key_add(&piece->cached.key, "recipe", "2");
    rf_build_depends_archive(piece);
    if (rf_build_depends_data(piece, "guest.packages", err) < 0 || rf_build_depends_data(piece, "guest.dpkg", err) < 0)
        return -1;
    return rf_build_depends_data(piece, "guest-early", err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *root = rf_piece_new_path(&piece->cached, "root");
    rf_autofree char *ours = rf_build_data(build, "guest-early"), *early = rf_piece_new_path(&piece->cached, "early");
    const struct rf_unpack wanted = {.name = "guest", .early = early, .keep_lists = true};
    /* A copy with ordinary modes: those of the checkout (a umask's) would become those of /etc and /usr. */
    if (rf_make_dirs(early, 0755, err) < 0 || rf_tree_overlay(ours, early, build->date, err) < 0)
        return -1;
    if (rf_build_unpack(env, piece, &wanted, err) < 0 ||
        rf_text_drop_line(root, "/etc/dpkg/dpkg.cfg.d/99mmdebstrap", "force-unsafe-io", err) < 0)
        return -1;
    return rf_remove_tree(early, err);
}

const struct rf_piece_ops rf_piece_guest_packages = {.name = "guest-packages",
                                                     .title = "Unpack the guests' packages",
                                                     .lane = RF_LANE_TOOLS,
                                                     .for_guests = true,
                                                     .inputs = inputs,
                                                     .make = make};
