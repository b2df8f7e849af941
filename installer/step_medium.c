/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything still needed from the medium is read and its checksum compared, before the first destructive write. */
#include "image/medium.h"
#include "installer/deploy.h"
#include "installer/medium_check.h"

static void progress(void *data, uint64_t done, uint64_t total)
{
    rf_step_progress(data, done, total, "bytes");
}

static int medium_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    if (deploy->check)
        return rf_medium_check_wait(deploy->check, deploy->images, env, err);
    const struct rf_medium_choice needed = {.common = true, .images = deploy->images};
    return rf_medium_verify(deploy->medium, &needed, progress, env, err);
}

/* No probe: a medium that was good a minute ago can be pulled by now. */
const struct rf_step_ops rf_step_medium = {.name = "medium", .apply = medium_apply};
