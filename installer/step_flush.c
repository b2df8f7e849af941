/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Before anything becomes bootable: all that it will boot is unmounted and on the disks. */
#include "base/memory.h"
#include "installer/deploy.h"
#include "raid/mounts.h"

static int flush_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const rf_deploy *deploy = arg;
    return rf_target_close(deploy->target, err);
}

/* No probe: what the steps before it opened has to be closed in every run. Closing what is closed is nothing. */
const struct rf_step_ops rf_step_flush = {.name = "flush", .apply = flush_apply};
