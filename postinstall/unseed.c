/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of cloud-init in a guest: its work was the first boot. At a later one it would miss its seed and say so as an error
 * for ever; and what it keeps of the seed holds the passwords.
 */
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/domain.h"
#include "postinstall/guest_exec.h"

enum { SECONDS = 180 };

/* cloud-init's documentation, "How to disable cloud-init": this file is enough. */
#define DISABLED "/etc/cloud/cloud-init.disabled"

/* Asked again where the agent does not answer at once: on a busy node it may take its time, and what is done here may be done twice. */
static int in_guest(struct rf_step_env *env, rf_agent *agent, json_t *argv, unsigned seconds, rf_error **err)
{
    rf_autojson json_t *words = argv;
    return rf_guest_exec(env, agent, words, NULL, seconds, err);
}

int rf_unseed_ask(struct rf_step_env *env, rf_agent *agent, unsigned seconds, rf_error **err)
{
    if (in_guest(env, agent, json_pack("[s,s]", "/usr/bin/touch", DISABLED), seconds, err) < 0)
        return -1;
    return in_guest(env, agent,
                    json_pack("[s,s,s,s,s,s]", "/usr/bin/rm", "-rf", "/var/lib/cloud/instances",
                              "/var/lib/cloud/instance", "/run/cloud-init/instance-data-sensitive.json",
                              "/run/cloud-init/combined-cloud-config.json"),
                    seconds, err);
}

static enum rf_probe unseed_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    return rf_guest_settled(arg) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int unseed_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    if (rf_unseed_ask(env, agent, rf_guest_patience(guest, SECONDS), err) < 0)
        return rf_wrap(err, "%s", guest->asked->name);
    return 0;
}

static int unseed_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    const struct rf_node_guest *guest = arg;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    return in_guest(env, agent, json_pack("[s,s,s]", "/usr/bin/test", "-e", DISABLED), SECONDS, err);
}

const struct rf_step_ops rf_step_unseed = {"unseed", unseed_probe, unseed_apply, unseed_verify};
