/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last step of a root beside another: it gets its name, which says that it is complete, and then the next boot. */
#include "base/file.h"
#include "base/memory.h"
#include "image/medium.h"
#include "installer/deploy.h"
#include "installer/root_change.h"

#include <errno.h>
#include <time.h>

static int note(const rf_deploy *deploy, const char *top, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    if (rf_medium_load(deploy->medium, &medium, err) < 0)
        return -1;
    const struct rf_payload *payload = rf_medium_payload(medium, RF_MEDIUM_ROOT_FILE);
    rf_autoroot struct rf_root root = {.number = deploy->beside->number,
                                       .how = rf_strdup(RF_ROOT_DEPLOYED),
                                       .version = rf_strdup(medium->version),
                                       .digest = payload ? rf_strdup(payload->sha256) : NULL,
                                       .made = (json_int_t)time(NULL)};
    return rf_root_note(top, &root, err);
}

/* Nothing to do where an interrupted run has come so far. */
static int give_name(struct rf_step_env *env, const rf_deploy *deploy, const char *top, rf_error **err)
{
    rf_autofree char *fresh = rf_deploy_root(deploy, ""), *root = rf_deploy_top(deploy, "/");
    rf_append(&root, "%s", deploy->beside->name);
    if (rf_exists(root))
        return 0;
    if (note(deploy, top, err) < 0 || rf_roots_commit(env, top, err) < 0)
        return -1;
    if (rename(fresh, root) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "naming %s", root);
    return rf_roots_commit(env, top, err);
}

static int switch_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const rf_deploy *deploy = arg;
    rf_autofree char *top = rf_deploy_top(deploy, "");
    rf_autoroots rf_roots *roots = NULL;
    bool trial;
    const struct rf_root_switch to = {.layout = deploy->layout,
                                      .node_id = deploy->profile->node.id,
                                      .top = top,
                                      .target = deploy->target,
                                      .number = deploy->beside->number};
    if (give_name(env, deploy, top, err) < 0 || rf_roots_read(top, deploy->beside->running, &roots, err) < 0)
        return -1;
    return rf_root_switch_to(env, roots, &to, &trial, err);
}

static enum rf_probe switch_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const rf_deploy *deploy = arg;
    rf_autofree char *top = rf_deploy_top(deploy, "");
    rf_autoroots rf_roots *roots = NULL;
    if (rf_roots_read(top, deploy->beside->running, &roots, err) < 0)
        return RF_PROBE_ERROR;
    const unsigned number = deploy->beside->number;
    return roots->choice.root == number && rf_roots_find(roots, number) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

const struct rf_step_ops rf_step_switch = {.name = "switch", .probe = switch_probe, .apply = switch_apply};
