/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guests' images, the base and the recipes' overlays: from the medium to the images' volume, where the node finds them when no
 * medium is left. A base of an earlier medium stays: it has another name, and overlays of that medium may still stand on it.
 */
#include "base/file.h"
#include "base/memory.h"
#include "image/medium.h"
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

/* Calls `each` for every image on the medium, in the order of the directory. A medium without any is fine. */
static int for_each(struct copy *copy, int (*each)(struct copy *, const char *from, const char *to, rf_error **),
                    rf_error **err)
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

static int mark(const struct copy *copy, const char *from, const char *to, rf_error **err)
{
    const char *digest = digest_of(copy, from);
    if (digest && setxattr(to, DIGEST_ATTRIBUTE, digest, strlen(digest), 0) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be marked", to);
    return 0;
}

static int copy_one(struct copy *copy, const char *from, const char *to, rf_error **err)
{
    if (!same(copy, from, to) &&
        (rf_copy_file(from, to, 0644, progress, copy, err) < 0 || mark(copy, from, to, err) < 0))
        return -1;
    copy->before += size_of(from);
    return 0;
}

static enum rf_probe payload_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    struct copy copy = {.env = env, .deploy = arg};
    if (rf_deploy_open(env, copy.deploy, err) < 0 || rf_medium_load(copy.deploy->medium, &medium, err) < 0)
        return RF_PROBE_ERROR;
    copy.medium = medium;
    int found = for_each(&copy, missing, err);
    return found < 0 ? RF_PROBE_ERROR : found ? RF_PROBE_TODO : RF_PROBE_DONE;
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
    return for_each(&copy, copy_one, err);
}

const struct rf_step_ops rf_step_payload = {.name = "payload", .probe = payload_probe, .apply = payload_apply};
