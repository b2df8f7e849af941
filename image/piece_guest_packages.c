/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packages of every guest, unpacked, with the package lists that they came from: recipes add theirs from the same lists. What
 * Richtfest adds comes later (piece_guest_base.c), so that it costs no new unpacking. */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/text.h"
#include "image/tree.h"

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    struct rf_key *key = &piece->cached.key;
    rf_key_add(key, "recipe", "2");
    rf_key_add(key, "suite", build->suite);
    rf_key_add(key, "sources", build->archive.sources);
    rf_key_add(key, "archive", build->archive.state);
    if (rf_build_depends_data(piece, "guest.packages", err) < 0 || rf_build_depends_data(piece, "guest.dpkg", err) < 0)
        return -1;
    return rf_build_depends_data(piece, "guest-early", err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *root = rf_piece_new_path(&piece->cached, "root");
    rf_autofree char *list = rf_piece_new_path(&piece->cached, "packages");
    rf_autofree char *dpkg = rf_build_data(build, "guest.dpkg"), *ours = rf_build_data(build, "guest-early");
    rf_autofree char *early = rf_piece_new_path(&piece->cached, "early");
    rf_autowords char **packages = NULL;
    if (rf_build_words(build, "guest.packages", &packages, err) < 0)
        return -1;
    /* A copy with ordinary modes: those of the checkout (a umask's) would become those of /etc and /usr. */
    if (rf_make_dirs(early, 0755, err) < 0 || rf_tree_overlay(ours, early, build->date, err) < 0)
        return -1;
    const struct rf_debstrap wanted = {.root = root,
                                       .suite = build->suite,
                                       .sources = build->archive.sources,
                                       .dpkg_options = dpkg,
                                       .packages = packages,
                                       .early = early,
                                       .keep_lists = true,
                                       .date = build->date};
    if (rf_debstrap(env, &wanted, err) < 0 ||
        rf_text_drop_line(root, "/etc/dpkg/dpkg.cfg.d/99mmdebstrap", "force-unsafe-io", err) < 0 ||
        rf_remove_tree(early, err) < 0)
        return -1;
    return rf_chroot_packages(env->runner, root, list, err);
}

const struct rf_piece_ops rf_piece_guest_packages = {.name = "guest-packages",
                                                     .title = "Unpack the guests' packages",
                                                     .lane = RF_LANE_TOOLS,
                                                     .for_guests = true,
                                                     .inputs = inputs,
                                                     .make = make};
