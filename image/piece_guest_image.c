/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One guest's disk image: the base that all guests share, the recipe's packages, its files, its units. */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/clean.h"
#include "image/guest_disk.h"
#include "image/text.h"
#include "image/tree.h"

static const char *const data_files[] = {"guest.packages", "guest.dpkg", "guest.enable", "guest.mask", "guest.remove"};

static void add_words(rf_build_piece *piece, const char *name, char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        rf_key_add(&piece->cached.key, name, words[i]);
}

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)build;
    struct rf_key *key = &piece->cached.key;
    const struct rf_image_recipe *recipe = piece->recipe;
    rf_key_add(key, "recipe", "1");
    rf_key_add(key, "name", recipe->name);
    rf_build_depends_archive(piece);
    rf_build_depends(piece, &rf_piece_build_root); /* the boot loaders */
    for (size_t i = 0; i < RF_COUNT(data_files); i++)
        if (rf_build_depends_data(piece, data_files[i], err) < 0)
            return -1;
    if (rf_build_depends_data(piece, "guest-early", err) < 0 || rf_build_depends_data(piece, "guest-root", err) < 0)
        return -1;
    add_words(piece, "package", recipe->packages);
    add_words(piece, "enable", recipe->enable);
    add_words(piece, "mask", recipe->mask);
    add_words(piece, "remove", recipe->remove);
    rf_autofree char *files = rf_format("%s/files", recipe->directory);
    return rf_exists(files) ? rf_key_add_tree(key, "files", files, err) : 0;
}

static int unpack(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, const char *root,
                  rf_error **err)
{
    rf_autofree char *early = rf_build_data(build, "guest-early");
    if (rf_build_unpack(env, piece, "guest", early, err) < 0)
        return -1;
    return rf_text_drop_line(root, "/etc/dpkg/dpkg.cfg.d/99mmdebstrap", "force-unsafe-io", err);
}

/* The two files that name the disk's UUID. */
static int fill(const rf_build *build, const char *root, const char *uuid, rf_error **err)
{
    static const char *const paths[] = {"/etc/fstab", "/boot/grub/grub.cfg"};
    const char *const values[] = {"ROOT_UUID", uuid, NULL};
    for (size_t i = 0; i < RF_COUNT(paths); i++) {
        rf_autofree char *path = rf_format("%s%s", root, paths[i]);
        if (rf_text_fill_file(path, path, values, build->date, err) < 0)
            return -1;
    }
    return 0;
}

static int add_units(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, const char *root,
                     rf_error **err)
{
    rf_autowords char **enable = NULL, **mask = NULL;
    if (rf_build_words(build, "guest.enable", &enable, err) < 0 || rf_build_words(build, "guest.mask", &mask, err) < 0)
        return -1;
    if (rf_chroot_units(env->runner, root, enable, mask, err) < 0)
        return -1;
    return rf_chroot_units(env->runner, root, piece->recipe->enable, piece->recipe->mask, err);
}

static int configure(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, const char *root,
                     rf_error **err)
{
    char uuid[RF_UUID_TEXT];
    rf_guest_disk_uuid(piece->recipe->name, uuid);
    rf_autofree char *ours = rf_build_data(build, "guest-root");
    rf_autofree char *files = rf_format("%s/files", piece->recipe->directory);
    rf_autowords char **remove = NULL;
    if (rf_tree_overlay(ours, root, build->date, err) < 0 || fill(build, root, uuid, err) < 0)
        return -1;
    if (rf_exists(files) && rf_tree_overlay(files, root, build->date, err) < 0)
        return -1;
    if (add_units(env, build, piece, root, err) < 0 || rf_build_words(build, "guest.remove", &remove, err) < 0)
        return -1;
    if (rf_root_clean(root, remove, build->date, err) < 0)
        return -1;
    return rf_root_clean(root, piece->recipe->remove, build->date, err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *root = rf_piece_new_path(&piece->cached, "root");
    rf_autofree char *output = rf_piece_new_path(&piece->cached, piece->recipe->file);
    rf_autofree char *loaders = rf_build_path(build, &rf_piece_build_root, "root");
    if (unpack(env, build, piece, root, err) < 0 || configure(env, build, piece, root, err) < 0)
        return -1;
    const struct rf_guest_disk disk = {.name = piece->recipe->name,
                                       .root = root,
                                       .loaders = loaders,
                                       .work = piece->cached.new,
                                       .output = output,
                                       .date = build->date};
    if (rf_guest_disk_make(env, &disk, err) < 0)
        return -1;
    return rf_remove_tree(root, err);
}

const struct rf_piece_ops rf_piece_guest_image = {.name = "guest-image",
                                                  .title = "Make the guests' image",
                                                  .lane = RF_LANE_TOOLS,
                                                  .per_recipe = true,
                                                  .inputs = inputs,
                                                  .make = make};
