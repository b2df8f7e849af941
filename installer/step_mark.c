/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An ISO left attached is harmless: its GRUB looks for the mark of its own profile source on the disks, and where it finds it,
 * it boots the node instead of the installer, by the same file as the loaders of the disks (installer/step_entry.c). Written after the
 * commit point, so that it never leads to half a system.
 */
#include "base/file.h"
#include "base/memory.h"
#include "image/region.h"
#include "installer/deploy.h"
#include "raid/mounts.h"

static char *mark_path(const rf_deploy *deploy)
{
    rf_autofree char *name = rf_format(RF_NODE_MARK_DIR "/%s", deploy->source_id ? deploy->source_id : "none");
    return rf_deploy_top(deploy, name);
}

/* For an ISO that names no source: the URL was typed at its menu. */
static char *any_path(const rf_deploy *deploy)
{
    return rf_deploy_top(deploy, RF_NODE_MARK_DIR "/any");
}

static bool is_there(const rf_deploy *deploy)
{
    rf_autofree char *mark = mark_path(deploy), *any = any_path(deploy);
    return rf_exists(mark) && rf_exists(any);
}

static int closed(const rf_deploy *deploy, int outcome, rf_error **err)
{
    if (outcome < 0) {
        rf_target_close(deploy->target, NULL);
        return outcome;
    }
    return rf_target_close(deploy->target, err) < 0 ? -1 : outcome;
}

static enum rf_probe mark_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    if (rf_deploy_open(env, deploy, err) < 0)
        return RF_PROBE_ERROR;
    return closed(deploy, is_there(deploy) ? RF_PROBE_DONE : RF_PROBE_TODO, err);
}

static int write_mark(const rf_deploy *deploy, rf_error **err)
{
    rf_autofree char *mark = mark_path(deploy);
    rf_autofree char *directory = rf_deploy_top(deploy, RF_NODE_MARK_DIR);
    if (rf_make_dirs(directory, 0755, err) < 0)
        return -1;
    rf_autofree char *any = any_path(deploy);
    if (rf_write_file(any, "", 0, 0600, err) < 0)
        return -1;
    return rf_write_file(mark, "", 0, 0600, err);
}

static int mark_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    if (rf_deploy_open(env, deploy, err) < 0)
        return -1;
    return closed(deploy, write_mark(deploy, err), err);
}

const struct rf_step_ops rf_step_mark = {.name = "mark", .probe = mark_probe, .apply = mark_apply};
