/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of cloud-init in a guest: its work was the first boot. At a later one it would miss its seed and say so as an error
 * for ever; and what it keeps of the seed holds the passwords.
 */
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/agent.h"
#include "postinstall/domain.h"

enum { SECONDS = 60 };

/* cloud-init's documentation, "How to disable cloud-init": this file is enough. */
#define DISABLED "/etc/cloud/cloud-init.disabled"

static int in_guest(const struct rf_node_guest *guest, json_t *argv, rf_error **err)
{
    rf_autojson json_t *words = argv;
    rf_autoagent rf_agent *agent = rf_agent_libvirt(guest->node->libvirt, guest->asked->name);
    rf_autoagentresult struct rf_agent_result result = {0};
    if (rf_agent_exec(agent, words, NULL, SECONDS, &result, err) < 0)
        return -1;
    if (result.status != 0)
        return rf_fail(err, RF_FAILED, "%s in %s ended with status %d: %s", json_string_value(json_array_get(words, 0)),
                       guest->asked->name, result.status, result.err);
    return 0;
}

static enum rf_probe unseed_probe(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    (void)err;
    return rf_guest_settled(arg) ? RF_PROBE_DONE : RF_PROBE_TODO;
}

static int unseed_apply(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    const struct rf_node_guest *guest = arg;
    if (in_guest(guest, json_pack("[s,s]", "/usr/bin/touch", DISABLED), err) < 0)
        return -1;
    return in_guest(guest,
                    json_pack("[s,s,s,s,s,s]", "/usr/bin/rm", "-rf", "/var/lib/cloud/instances",
                              "/var/lib/cloud/instance", "/run/cloud-init/instance-data-sensitive.json",
                              "/run/cloud-init/combined-cloud-config.json"),
                    err);
}

static int unseed_verify(struct rf_step_env *env, const void *arg, rf_error **err)
{
    (void)env;
    return in_guest(arg, json_pack("[s,s,s]", "/usr/bin/test", "-e", DISABLED), err);
}

const struct rf_step_ops rf_step_unseed = {"unseed", unseed_probe, unseed_apply, unseed_verify};
