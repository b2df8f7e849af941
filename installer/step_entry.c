/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which root is booted: written when the first one is complete, before any loader that reads it. Where it is said already it stays; from
 * then on `richtfest root` changes it. */
#include "base/memory.h"
#include "image/medium.h"
#include "installer/deploy.h"
#include "installer/roots.h"

#include <time.h>

static enum rf_probe entry_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    rf_autoroots rf_roots *roots = NULL;
    if (rf_deploy_open(env, deploy, err) < 0)
        return RF_PROBE_ERROR;
    rf_autofree char *top = rf_deploy_top(deploy, "");
    return rf_roots_read(top, 0, &roots, NULL) == 0 ? RF_PROBE_DONE : RF_PROBE_TODO;
}

/* It counts as good: there is no other one. What the medium does not say of it stays unknown. */
static int note_first(const rf_deploy *deploy, const char *top, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    rf_medium_load(deploy->medium, &medium, NULL);
    const struct rf_payload *payload = medium ? rf_medium_payload(medium, RF_MEDIUM_ROOT_FILE) : NULL;
    const json_int_t now = (json_int_t)time(NULL);
    rf_autoroot struct rf_root root = {.number = 1,
                                       .how = rf_strdup(RF_ROOT_INSTALLED),
                                       .version = medium ? rf_strdup(medium->version) : NULL,
                                       .digest = payload ? rf_strdup(payload->sha256) : NULL,
                                       .made = now,
                                       .good = now};
    return rf_root_note(top, &root, err);
}

static int entry_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const rf_deploy *deploy = arg;
    const struct rf_boot_choice first = {.root = 1};
    rf_autofree char *top = rf_deploy_top(deploy, "");
    if (note_first(deploy, top, err) < 0)
        return -1;
    return rf_roots_choose(top, deploy->profile->node.id, deploy->ids.system_uuid, &first, err);
}

const struct rf_step_ops rf_step_entry = {.name = "entry", .probe = entry_probe, .apply = entry_apply};
