/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pieces that are made of packages have in common. */
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/debstrap.h"

void rf_build_depends_archive(rf_build_piece *piece)
{
    rf_key_add(&piece->cached.key, "suite", piece->build->suite);
    rf_key_add(&piece->cached.key, "sources", piece->build->archive.sources);
    rf_key_add(&piece->cached.key, "archive", piece->build->archive.state);
}

int rf_build_unpack(struct rf_step_env *env, const rf_build_piece *piece, const struct rf_unpack *wanted,
                    rf_error **err)
{
    const rf_build *build = piece->build;
    rf_autofree char *root = rf_piece_new_path(&piece->cached, "root");
    rf_autofree char *came = rf_piece_new_path(&piece->cached, "packages");
    rf_autofree char *list = rf_format("%s.packages", wanted->name);
    rf_autofree char *options = rf_format("%s.dpkg", wanted->name);
    rf_autofree char *dpkg = rf_build_data(build, options);
    rf_autowords char **packages = NULL;
    if (rf_build_words(build, list, &packages, err) < 0)
        return -1;
    const struct rf_debstrap debstrap = {.root = root,
                                         .suite = build->suite,
                                         .sources = build->archive.sources,
                                         .keyring = build->keyring,
                                         .dpkg_options = dpkg,
                                         .packages = packages,
                                         .early = wanted->early,
                                         .keep_lists = wanted->keep_lists,
                                         .date = build->date};
    if (rf_debstrap(env, &debstrap, err) < 0)
        return -1;
    return rf_chroot_packages(env->runner, root, came, err);
}
