/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The root: the medium's squashfs, unpacked into a subvolume that gets its name only when it is complete. */
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "image/medium.h"
#include "installer/deploy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum rf_probe root_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    if (rf_deploy_open(env, deploy, err) < 0)
        return RF_PROBE_ERROR;
    rf_autofree char *root = rf_deploy_root(deploy, "");
    return rf_exists(root) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* unsquashfs -percentage prints one number a line. */
static void percentage(void *data, const char *text, size_t size)
{
    struct rf_step_env *env = data;
    for (size_t end = size; end > 0; end--) {
        size_t start = end;
        while (start > 0 && text[start - 1] >= '0' && text[start - 1] <= '9')
            start--;
        if (start < end && end < size && text[end] == '\n') {
            rf_step_progress(env, strtoul(text + start, NULL, 10), 100, "%");
            return;
        }
    }
}

/* unsquashfs's queues hold 256 MiB each by themselves; a small machine has not got that. In MiB. */
static const char *queue_size(const rf_deploy *deploy)
{
    return deploy->machine->memory < 2 * RF_GIB ? "16" : "128";
}

static int unpack(struct rf_step_env *env, const rf_deploy *deploy, const char *to, rf_error **err)
{
    rf_autofree char *squashfs = rf_format("%s" RF_MEDIUM_ROOT_FILE, deploy->medium);
    const char *queue = queue_size(deploy);
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {
        .argv = RF_ARGV("unsquashfs", "-percentage", "-force", "-data-queue", queue, "-frag-queue", queue, "-dest", to,
                        squashfs),
        .seconds = 3600,
        .on_output = percentage,
        .data = env,
    };
    return rf_run(env->runner, &command, &result, err);
}

/* A whole root may still lie in memory, and a rented disk may be slow. */
static int sync_tree(struct rf_step_env *env, const char *path, rf_error **err)
{
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("btrfs", "filesystem", "sync", path), .seconds = 3600};
    return rf_run(env->runner, &command, &result, err);
}

/* unsquashfs does not wait for its files, so what can't be written is told to nobody; but syncfs(2) tells it, once, to whoever had the file
 * system open before. */
static int open_filesystem(const rf_deploy *deploy, int *ret_fd, rf_error **err)
{
    rf_autofree char *top = rf_deploy_top(deploy, "");
    *ret_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? rf_fail_errno(err, RF_FAILED, errno, "%s can't be opened", top) : 0;
}

static int check_written(int fd, rf_error **err)
{
    if (syncfs(fd) < 0)
        return rf_fail_errno(err, RF_FAILED, errno,
                             "not all of the root could be written to the system volume; replace the disk that fails");
    return 0;
}

static int root_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    rf_autofree char *root = rf_deploy_root(deploy, "");
    rf_autofree char *partial = rf_format("%s.partial", root);
    rf_autofd int fd = -1;
    if (open_filesystem(deploy, &fd, err) < 0)
        return -1;
    if (rf_exists(partial) && rf_run_argv(env->runner, RF_ARGV("btrfs", "subvolume", "delete", partial), err) < 0)
        return rf_wrap(err, "removing what an interrupted run left");
    if (rf_run_argv(env->runner, RF_ARGV("btrfs", "subvolume", "create", partial), err) < 0 ||
        unpack(env, deploy, partial, err) < 0)
        return -1;
    /* Its content first, then its name: after a power cut a root with its name is a complete one. */
    if (sync_tree(env, partial, err) < 0 || check_written(fd, err) < 0)
        return -1;
    if (rename(partial, root) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "naming %s", root);
    return 0;
}

const struct rf_step_ops rf_step_root = {.name = "root", .probe = root_probe, .apply = root_apply};
