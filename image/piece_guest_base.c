/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all guests' images stand on: a plain Debian guest. Raw (sparse), which recipes are made from, and packed, which goes on the
 * ISO. The packed one is named after its content: an overlay names the very base that it was made from.
 */
#include "base/file.h"
#include "base/memory.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/clean.h"
#include "image/guest_disk.h"
#include "image/text.h"
#include "image/tree.h"

#include <errno.h>
#include <string.h>

enum { NAME_DIGITS = 12 };

static const char *const data_files[] = {"guest-root", "guest.enable", "guest.mask", "guest.remove"};
static const char identity[] = "base";

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)build;
    rf_key_add(&piece->cached.key, "recipe", "1");
    rf_build_depends(piece, &rf_piece_guest_packages);
    rf_build_depends(piece, &rf_piece_build_root); /* the boot loaders */
    for (size_t i = 0; i < RF_COUNT(data_files); i++)
        if (rf_build_depends_data(piece, data_files[i], err) < 0)
            return -1;
    return 0;
}

/* The two files that name the disk's UUID. */
static int fill(const rf_build *build, const char *root, rf_error **err)
{
    static const char *const paths[] = {"/etc/fstab", "/boot/grub/grub.cfg"};
    char uuid[RF_UUID_TEXT];
    rf_guest_disk_uuid(identity, uuid);
    const char *const values[] = {"ROOT_UUID", uuid, NULL};
    for (size_t i = 0; i < RF_COUNT(paths); i++) {
        rf_autofree char *path = rf_format("%s%s", root, paths[i]);
        if (rf_text_fill_file(path, path, values, build->date, err) < 0)
            return -1;
    }
    return 0;
}

static int fill_root(struct rf_step_env *env, const rf_build *build, const char *root, rf_error **err)
{
    rf_autofree char *packages = rf_build_path(build, &rf_piece_guest_packages, "root");
    rf_autofree char *ours = rf_build_data(build, "guest-root");
    rf_autowords char **enable = NULL, **mask = NULL, **remove = NULL;
    if (rf_build_words(build, "guest.enable", &enable, err) < 0 ||
        rf_build_words(build, "guest.mask", &mask, err) < 0 || rf_build_words(build, "guest.remove", &remove, err) < 0)
        return -1;
    if (rf_run_argv(env->runner, RF_ARGV("cp", "--archive", "--link", "--no-target-directory", packages, root), err) <
        0)
        return -1;
    if (rf_tree_overlay(ours, root, build->date, err) < 0 || fill(build, root, err) < 0 ||
        rf_chroot_units(env->runner, root, enable, mask, err) < 0)
        return -1;
    return rf_root_clean(root, remove, build->date, err);
}

/* "base-0123456789ab.qcow2", and the file `name` that says so. */
static int name_it(const rf_build_piece *piece, const char *packed, rf_error **err)
{
    char digest[RF_SHA256_HEX];
    if (rf_sha256_file(packed, digest, NULL, NULL, err) < 0)
        return -1;
    rf_autofree char *name = rf_format(RF_GUEST_BASE_PREFIX "%.*s.qcow2", NAME_DIGITS, digest);
    rf_autofree char *named = rf_piece_new_path(&piece->cached, name);
    rf_autofree char *file = rf_piece_new_path(&piece->cached, "name");
    if (rename(packed, named) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be renamed to %s", packed, named);
    return rf_write_file(file, name, strlen(name), 0644, err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    rf_autofree char *root = rf_piece_new_path(&piece->cached, "root");
    rf_autofree char *raw = rf_piece_new_path(&piece->cached, "base.raw");
    rf_autofree char *packed = rf_piece_new_path(&piece->cached, "base.qcow2");
    rf_autofree char *loaders = rf_build_path(build, &rf_piece_build_root, "root");
    const struct rf_guest_disk disk = {
        .name = identity, .root = root, .loaders = loaders, .work = piece->cached.new, .raw = raw, .date = build->date};
    if (fill_root(env, build, root, err) < 0 || rf_guest_disk_make(env, &disk, err) < 0 ||
        rf_guest_disk_pack(env, raw, packed, err) < 0 || name_it(piece, packed, err) < 0)
        return -1;
    return rf_remove_tree(root, err);
}

char *rf_build_base_name(const rf_build *build, rf_error **err)
{
    rf_autofree char *file = rf_build_path(build, &rf_piece_guest_base, "name");
    char *name = rf_read_line(file);
    if (!name)
        rf_fail(err, RF_FAILED, "%s can't be read", file);
    return name;
}

const struct rf_piece_ops rf_piece_guest_base = {.name = "guest-base",
                                                 .title = "Make the guests' base",
                                                 .lane = RF_LANE_TOOLS,
                                                 .for_guests = true,
                                                 .inputs = inputs,
                                                 .make = make};
