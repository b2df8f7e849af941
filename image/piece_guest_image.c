/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One recipe's image: a copy of the base's disk is mounted, gets the recipe's packages, files, artefacts and units, runs the
 * recipe's own command, and is cleaned; what differs from the base then becomes a thin overlay.
 */
#include "base/file.h"
#include "base/memory.h"
#include "image/artefact_unpack.h"
#include "image/build.h"
#include "image/chroot.h"
#include "image/clean.h"
#include "image/guest_disk.h"
#include "image/install.h"
#include "image/mounted.h"
#include "image/tree.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { COPY_SECONDS = 600, BUILD_SECONDS = 900 };

static void add_words(rf_build_piece *piece, const char *name, char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        rf_key_add(&piece->cached.key, name, words[i]);
}

static void add_artefacts(const rf_build *build, rf_build_piece *piece)
{
    for (size_t i = 0; piece->recipe->artefacts[i]; i++) {
        const struct rf_artefact *artefact = rf_artefact_named(&build->artefacts, piece->recipe->artefacts[i]);
        const bool waits = rf_build_waits(build, artefact);
        rf_autofree char *line = rf_format("%s %s %s %s %u", artefact->name, artefact->version,
                                           waits ? "waiting" : artefact->sha256, artefact->format, artefact->strip);
        rf_key_add(&piece->cached.key, "artefact", line);
    }
}

static int inputs(const rf_build *build, rf_build_piece *piece, rf_error **err)
{
    (void)build;
    struct rf_key *key = &piece->cached.key;
    const struct rf_image_recipe *recipe = piece->recipe;
    rf_key_add(key, "recipe", "2");
    rf_key_add(key, "name", recipe->name);
    rf_key_add(key, "file", recipe->file);
    rf_build_depends(piece, &rf_piece_guest_base);
    add_words(piece, "package", recipe->packages);
    add_words(piece, "enable", recipe->enable);
    add_words(piece, "mask", recipe->mask);
    add_words(piece, "remove", recipe->remove);
    add_words(piece, "build", recipe->build);
    add_artefacts(build, piece);
    rf_autofree char *files = rf_format("%s/files", recipe->directory);
    return rf_exists(files) ? rf_key_add_tree(key, "files", files, err) : 0;
}

/* What is being made, and what of. */
struct work {
    struct rf_step_env *env;
    const rf_build *build;
    const rf_build_piece *piece;
    char *raw, *root; /* the disk that is worked on, where it is mounted */
    char *directory;  /* for everything else in between */
};

static void clear_work(struct work *work)
{
    free(work->raw);
    free(work->root);
    free(work->directory);
}

static int copy_base(const struct work *work, rf_error **err)
{
    rf_autofree char *base = rf_build_path(work->build, &rf_piece_guest_base, "base.raw");
    const struct rf_command command = {.argv = RF_ARGV("cp", "--reflink=auto", "--sparse=always", base, work->raw),
                                       .seconds = COPY_SECONDS};
    rf_autoresult struct rf_result result = {0};
    return rf_run(work->env->runner, &command, &result, err);
}

static int install(const struct work *work, rf_error **err)
{
    rf_autofree char *lists = rf_build_path(work->build, &rf_piece_guest_packages, "root/var/lib/apt/lists");
    const struct rf_install wanted = {.root = work->root,
                                      .lists = lists,
                                      .work = work->directory,
                                      .packages = work->piece->recipe->packages,
                                      .date = work->build->date};
    return rf_install_packages(work->env, &wanted, err);
}

/* What is in the image and what is not, for the recipe's own programs. */
static int write_artefacts(const struct work *work, json_t *list, rf_error **err)
{
    rf_autojson json_t *json = json_pack("{s:O}", "artefacts", list);
    rf_autofree char *text = rf_json_text(json);
    return rf_tree_put(work->root, RF_ARTEFACTS_DIR "/manifest.json", text, 0644, work->build->date, err);
}

static int add_artefact(const struct work *work, const struct rf_artefact *artefact, json_t *list, rf_error **err)
{
    const rf_build *build = work->build;
    json_array_append_new(list, rf_build_artefact_json(build, artefact));
    if (rf_build_waits(build, artefact))
        return 0;
    rf_autofree char *file = rf_artefact_path(&build->store, artefact), *note = NULL;
    if (rf_artefact_verify(&build->store, artefact, work->env->runner, &note, err) <
        0) /* it may lie there for months */
        return rf_wrap(err, "remove %s and build again", file);
    return rf_artefact_unpack(work->env, artefact, file, work->root, build->date, err);
}

static int unpack_artefacts(const struct work *work, rf_error **err)
{
    char *const *names = work->piece->recipe->artefacts;
    rf_autofree char *directory = rf_format("%s" RF_ARTEFACTS_DIR, work->root);
    rf_autojson json_t *list = json_array();
    if (!names[0])
        return 0;
    if (rf_make_dirs(directory, 0755, err) < 0)
        return -1;
    for (size_t i = 0; names[i]; i++)
        if (add_artefact(work, rf_artefact_named(&work->build->artefacts, names[i]), list, err) < 0)
            return -1;
    return write_artefacts(work, list, err);
}

/* The recipe's own command: as root in the chroot, with nothing of this machine's environment, and offline. */
static int run_build(const struct work *work, struct rf_mounted *mounted, rf_error **err)
{
    char *const *words = work->piece->recipe->build;
    if (!words[0])
        return 0;
    rf_autofree char *date = rf_format("SOURCE_DATE_EPOCH=%lld", (long long)work->build->date);
    rf_autofree const char **argv =
        rf_argv_join(RF_CHROOT_ARGV(work->root, "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
                                    "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", date),
                     (const char *const *)words);
    const struct rf_command command = {.argv = argv, .seconds = BUILD_SECONDS, .cwd = "/"};
    rf_autoresult struct rf_result result = {0};
    if (!mounted->bare && rf_sandbox_offline(&mounted->sandbox, err) < 0)
        return -1;
    int outcome = rf_run(work->env->runner, &command, &result, err);
    rf_sandbox_online(&mounted->sandbox);
    return outcome < 0 ? rf_wrap(err, "the command of recipe %s", work->piece->recipe->name) : 0;
}

static int add_files(const struct work *work, rf_error **err)
{
    rf_autofree char *files = rf_format("%s/files", work->piece->recipe->directory);
    return rf_exists(files) ? rf_tree_overlay(files, work->root, work->build->date, err) : 0;
}

static int clean(const struct work *work, const struct rf_mounted *mounted, rf_error **err)
{
    const time_t date = work->build->date;
    rf_autowords char **remove = NULL;
    if (!mounted->bare && rf_sandbox_empty(work->root, err) < 0)
        return -1;
    if (rf_build_words(work->build, "guest.remove", &remove, err) < 0 ||
        rf_root_clean(work->root, remove, date, err) < 0 ||
        rf_root_clean(work->root, work->piece->recipe->remove, date, err) < 0)
        return -1;
    return rf_tree_clamp(work->root, date, err);
}

static int change(const struct work *work, struct rf_mounted *mounted, rf_error **err)
{
    const struct rf_image_recipe *recipe = work->piece->recipe;
    rf_autofree char *list = rf_piece_new_path(&work->piece->cached, "packages");
    if (install(work, err) < 0 || rf_chroot_packages(work->env->runner, work->root, list, err) < 0)
        return -1;
    if (add_files(work, err) < 0 || unpack_artefacts(work, err) < 0 || run_build(work, mounted, err) < 0)
        return -1;
    if (rf_chroot_units(work->env->runner, work->root, recipe->enable, recipe->mask, err) < 0)
        return -1;
    return clean(work, mounted, err);
}

static int change_mounted(const struct work *work, rf_error **err)
{
    struct stat status;
    if (stat(work->raw, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be looked at", work->raw);
    const struct rf_guest_disk_part part = rf_guest_disk_root((uint64_t)status.st_size);
    rf_automounted struct rf_mounted mounted = RF_MOUNTED_NOT;
    if (rf_mounted_open(work->env, work->raw, part.offset, part.size, work->root, work->build->bare, &mounted, err) < 0)
        return -1;
    return change(work, &mounted, err) < 0 ? -1 : rf_mounted_close(&mounted, err);
}

static int make_overlay(const struct work *work, rf_error **err)
{
    rf_autofree char *name = rf_build_base_name(work->build, err);
    if (!name)
        return -1;
    rf_autofree char *base = rf_build_path(work->build, &rf_piece_guest_base, name);
    rf_autofree char *base_raw = rf_build_path(work->build, &rf_piece_guest_base, "base.raw");
    rf_autofree char *output = rf_piece_new_path(&work->piece->cached, work->piece->recipe->file);
    const struct rf_guest_overlay overlay = {.raw = work->raw,
                                             .base_raw = base_raw,
                                             .base = base,
                                             .work = work->directory,
                                             .output = output,
                                             .date = work->build->date};
    return rf_guest_disk_overlay(work->env, &overlay, err);
}

static int make(struct rf_step_env *env, const rf_build *build, const rf_build_piece *piece, rf_error **err)
{
    RF_CLEANUP(clear_work)
    struct work work = {.env = env,
                        .build = build,
                        .piece = piece,
                        .raw = rf_piece_new_path(&piece->cached, "work/disk.raw"),
                        .root = rf_piece_new_path(&piece->cached, "work/root"),
                        .directory = rf_piece_new_path(&piece->cached, "work")};
    if (rf_make_dirs(work.directory, 0755, err) < 0 || copy_base(&work, err) < 0 || change_mounted(&work, err) < 0 ||
        make_overlay(&work, err) < 0)
        return -1;
    return rf_remove_tree(work.directory, err);
}

const struct rf_piece_ops rf_piece_guest_image = {.name = "guest-image",
                                                  .title = "Make the guests' image",
                                                  .lane = RF_LANE_TOOLS,
                                                  .per_recipe = true,
                                                  .barrier = true,
                                                  .for_guests = true,
                                                  .inputs = inputs,
                                                  .make = make};
