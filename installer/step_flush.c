/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Before anything becomes bootable: all that it will boot is unmounted and on the disks. */
#include "base/memory.h"
#include "installer/deploy.h"
#include "installer/root_change.h"
#include "raid/mounts.h"

/* On a running node unmounting flushes nothing: the same file systems stay mounted elsewhere. */
static int flush_beside(struct rf_step_env *env, const rf_deploy *deploy, rf_error **err)
{
    rf_autofree char *top = rf_deploy_top(deploy, ""), *images = rf_deploy_images(deploy, "");
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("sync", "--file-system", images), .seconds = 3600};
    return rf_roots_commit(env, top, err) < 0 ? -1 : rf_run(env->runner, &command, &result, err);
}

static int flush_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    return deploy->beside ? flush_beside(env, deploy, err) : rf_target_close(deploy->target, err);
}

/* No probe: what the steps before it opened has to be closed in every run. Closing what is closed is nothing. */
const struct rf_step_ops rf_step_flush = {.name = "flush", .apply = flush_apply};
