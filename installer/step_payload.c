/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guests' base images: from the medium to the images' volume, where the node finds them when no medium is left. */
#include "base/file.h"
#include "base/memory.h"
#include "image/medium.h"
#include "installer/deploy.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct copy {
    struct rf_step_env *env;
    uint64_t before, total; /* bytes of all files */
};

/* Calls `each` for every image on the medium, in the order of the directory. A medium without any is fine. */
static int for_each(const rf_deploy *deploy,
                    int (*each)(const rf_deploy *, const char *from, const char *to, void *, rf_error **), void *data,
                    rf_error **err)
{
    rf_autofree char *folder = rf_format("%s" RF_MEDIUM_GUESTS_DIR, deploy->medium);
    rf_autodir DIR *dir = opendir(folder);
    if (!dir)
        return errno == ENOENT ? 0 : rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        rf_autofree char *from = rf_format("%s/%s", folder, entry->d_name);
        rf_autofree char *name = rf_format("/base/%s", entry->d_name);
        rf_autofree char *to = rf_deploy_images(deploy, name);
        int outcome = each(deploy, from, to, data, err);
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

/* Copies get their names only when they are complete, so the size tells enough. */
static int missing(const rf_deploy *deploy, const char *from, const char *to, void *data, rf_error **err)
{
    (void)deploy;
    (void)data;
    (void)err;
    return size_of(from) != size_of(to);
}

static int add_size(const rf_deploy *deploy, const char *from, const char *to, void *data, rf_error **err)
{
    (void)deploy;
    (void)to;
    (void)err;
    ((struct copy *)data)->total += size_of(from);
    return 0;
}

static void progress(void *data, uint64_t done, uint64_t total)
{
    (void)total;
    struct copy *copy = data;
    rf_step_progress(copy->env, copy->before + done, copy->total, "bytes");
}

static int copy_one(const rf_deploy *deploy, const char *from, const char *to, void *data, rf_error **err)
{
    (void)deploy;
    struct copy *copy = data;
    if (size_of(from) != size_of(to) && rf_copy_file(from, to, 0644, progress, copy, err) < 0)
        return -1;
    copy->before += size_of(from);
    return 0;
}

static enum rf_probe payload_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    if (rf_deploy_open(env, deploy, err) < 0)
        return RF_PROBE_ERROR;
    int found = for_each(deploy, missing, NULL, err);
    return found < 0 ? RF_PROBE_ERROR : found ? RF_PROBE_TODO : RF_PROBE_DONE;
}

static int payload_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    struct copy copy = {.env = env};
    rf_autofree char *base = rf_deploy_images(deploy, "/base");
    if (rf_make_dirs(base, 0755, err) < 0 || for_each(deploy, add_size, &copy, err) < 0)
        return -1;
    return for_each(deploy, copy_one, &copy, err);
}

const struct rf_step_ops rf_step_payload = {.name = "payload", .probe = payload_probe, .apply = payload_apply};
