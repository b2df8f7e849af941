/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guests' images, the base and the recipes' overlays: from the medium to the images' volume, where the node finds them when no
 * medium is left. A base of an earlier medium stays: it has another name, and overlays of that medium may still stand on it.
 */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "image/medium.h"
#include "installer/artefacts.h"
#include "installer/deploy.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* Which bytes a copy holds, as the manifest of its medium said: two images can have one size. */
#define DIGEST_ATTRIBUTE "user.richtfest.xxh3"

struct copy {
    struct rf_step_env *env;
    const rf_deploy *deploy;
    rf_medium *medium;
    uint64_t before, total; /* bytes of all files */
};

typedef int visit(struct copy *copy, const char *from, const char *to, rf_error **err);

/* Calls `each` for every image on the medium, in the order of the directory, until one says other than 0. A medium without any is
 * fine. */
static int for_each(struct copy *copy, visit *each, rf_error **err)
{
    rf_autofree char *folder = rf_format("%s" RF_MEDIUM_GUESTS_DIR, copy->deploy->medium);
    rf_autodir DIR *dir = opendir(folder);
    if (!dir)
        return errno == ENOENT ? 0 : rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        rf_autofree char *from = rf_format("%s/%s", folder, entry->d_name);
        rf_autofree char *name = rf_format("/base/%s", entry->d_name);
        rf_autofree char *to = rf_deploy_images(copy->deploy, name);
        int outcome = each(copy, from, to, err);
        if (outcome != 0)
            return outcome;
    }
    return 0;
}

static uint64_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : UINT64_MAX;
}

/* What the manifest says of the image; NULL where it says nothing. */
static const char *digest_of(const struct copy *copy, const char *from)
{
    rf_autofree char *path = rf_format(RF_MEDIUM_GUESTS_DIR "%s", strrchr(from, '/'));
    const struct rf_payload *payload = rf_medium_payload(copy->medium, path);
    return payload ? payload->xxh3 : NULL;
}

/* Copies get their names only when they are complete, and their mark after that. */
static bool same(const struct copy *copy, const char *from, const char *to)
{
    const char *digest = digest_of(copy, from);
    char marked[64] = "";
    if (size_of(from) != size_of(to))
        return false;
    return !digest || (getxattr(to, DIGEST_ATTRIBUTE, marked, sizeof(marked) - 1) > 0 && strcmp(marked, digest) == 0);
}

static int missing(struct copy *copy, const char *from, const char *to, rf_error **err)
{
    (void)err;
    return !same(copy, from, to);
}

static int add_size(struct copy *copy, const char *from, const char *to, rf_error **err)
{
    (void)to;
    (void)err;
    copy->total += size_of(from);
    return 0;
}

static void progress(void *data, uint64_t done, uint64_t total)
{
    (void)total;
    struct copy *copy = data;
    rf_step_progress(copy->env, copy->before + done, copy->total, "bytes");
}

static int mark(const char *digest, const char *to, rf_error **err)
{
    if (setxattr(to, DIGEST_ATTRIBUTE, digest, strlen(digest), 0) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be marked", to);
    return 0;
}

/* The medium was read once more for the copy, and may have been read wrong. */
static int compare(const char *digest, const char *from, const char *to, rf_error **err)
{
    char found[33];
    if (rf_xxh3_file(to, found, NULL, NULL, err) < 0)
        return -1;
    if (strcmp(found, digest) == 0)
        return 0;
    unlink(to);
    return rf_fail(err, RF_FAILED, "the copy of %s has the checksum %s, the medium's manifest says %s", from, found,
                   digest);
}

static int bring(struct copy *copy, const char *from, const char *to, rf_error **err)
{
    const char *digest = digest_of(copy, from);
    if (rf_copy_file(from, to, 0644, progress, copy, err) < 0)
        return -1;
    return digest && (compare(digest, from, to, err) < 0 || mark(digest, to, err) < 0) ? -1 : 0;
}

static int copy_one(struct copy *copy, const char *from, const char *to, rf_error **err)
{
    if (!same(copy, from, to) && bring(copy, from, to, err) < 0)
        return -1;
    copy->before += size_of(from);
    return 0;
}

static bool needed(const struct copy *copy, const char *from)
{
    rf_autofree char *path = rf_format(RF_MEDIUM_GUESTS_DIR "%s", strrchr(from, '/'));
    return rf_medium_common(path) || rf_medium_named(copy->deploy->images, strrchr(path, '/') + 1);
}

static int copy_needed(struct copy *copy, const char *from, const char *to, rf_error **err)
{
    return needed(copy, from) ? copy_one(copy, from, to, err) : 0;
}

/* For guests that are added later, when no medium may be left. Nothing checked these before the first write; one that can't be read now
 * is no reason to leave half a server. */
static int copy_spare(struct copy *copy, const char *from, const char *to, rf_error **err)
{
    (void)err;
    rf_autoerror rf_error *error = NULL;
    if (needed(copy, from) || copy_one(copy, from, to, &error) == 0)
        return 0;
    rf_autofree char *why = rf_error_text(error);
    rf_emit_message(copy->env->events, RF_PROGRESS,
                    "%s was not copied (%s); no guest of the profile needs it, and one that is added later will", from,
                    why);
    return 0;
}

static int lacking(struct copy *copy, const char *from, const char *to, rf_error **err)
{
    return needed(copy, from) ? missing(copy, from, to, err) : 0;
}

static enum rf_probe look(struct rf_step_env *env, const void *arg, visit *each, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    struct copy copy = {.env = env, .deploy = arg};
    if (rf_deploy_open(env, copy.deploy, err) < 0 || rf_medium_load(copy.deploy->medium, &medium, err) < 0)
        return RF_PROBE_ERROR;
    copy.medium = medium;
    const int found = for_each(&copy, each, err);
    return found < 0 ? RF_PROBE_ERROR : found ? RF_PROBE_TODO : RF_PROBE_DONE;
}

/* Beside the images: what they lack. Belongs to the images' volume, as they do. */
static char *list_path(const rf_deploy *deploy)
{
    return rf_deploy_images(deploy, &RF_ARTEFACTS_FILE[strlen(RF_POOL_DIR)]);
}

static bool list_is_there(const rf_deploy *deploy)
{
    rf_autofree char *list = list_path(deploy);
    return rf_artefacts_left(deploy->medium, list);
}

static enum rf_probe payload_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const enum rf_probe found = look(env, arg, missing, err);
    return found == RF_PROBE_DONE && !list_is_there(arg) ? RF_PROBE_TODO : found;
}

static int payload_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const enum rf_probe found = look(env, arg, lacking, err);
    if (found == RF_PROBE_TODO)
        return rf_fail(err, RF_FAILED, "an image that a guest needs was copied and is not there");
    if (found == RF_PROBE_DONE && !list_is_there(arg))
        return rf_fail(err, RF_FAILED, "the list of the images' artefacts was written and is not there");
    return found == RF_PROBE_DONE ? 0 : -1;
}

static int payload_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    struct copy copy = {.env = env, .deploy = arg};
    rf_autofree char *base = rf_deploy_images(copy.deploy, "/base");
    if (rf_medium_load(copy.deploy->medium, &medium, err) < 0)
        return -1;
    copy.medium = medium;
    if (rf_make_dirs(base, 0755, err) < 0 || for_each(&copy, add_size, err) < 0)
        return -1;
    rf_autofree char *list = list_path(copy.deploy);
    if (for_each(&copy, copy_needed, err) < 0 || for_each(&copy, copy_spare, err) < 0)
        return -1;
    return rf_artefacts_leave(copy.deploy->medium, list, err);
}

const struct rf_step_ops rf_step_payload = {.name = "payload",
                                            .probe = payload_probe,
                                            .apply = payload_apply,
                                            .verify = payload_verify};
