/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Has cloud-init finished, and without an error? Its own result file says so (cloud-init's documentation, "cloud-init files":
 * result.json is written at the very end); reading it costs nothing, while `cloud-init status` starts a Python.
 */
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/probe.h"

static enum rf_health judge(const char *text, char **ret_words)
{
    rf_autojson json_t *document = json_loads(text, 0, NULL);
    const json_t *result = json_object_get(document, "v1");
    const json_t *errors = json_object_get(result, "errors");
    if (!json_is_array(errors)) {
        *ret_words = rf_strdup("its result can't be read");
        return RF_HEALTH_WAITING;
    }
    if (json_array_size(errors)) {
        const char *first = json_string_value(json_array_get(errors, 0));
        rf_autofree char *line = rf_probe_last_line(first ? first : "unknown");
        *ret_words = rf_format("finished with %zu error%s: %s", json_array_size(errors),
                               json_array_size(errors) == 1 ? "" : "s", line);
        return RF_HEALTH_BROKEN;
    }
    *ret_words = rf_strdup("finished without error");
    return RF_HEALTH_OK;
}

/* No result yet: it is at work, or its work was done at the first boot and it is switched off since (postinstall/unseed.c). */
static enum rf_health after_first_boot(const struct rf_recipe_probe *probe, const struct rf_probe_context *context,
                                       char **ret_words)
{
    rf_error *why = NULL;
    rf_autojson json_t *argv = json_pack("[s,s,s]", "/usr/bin/test", "-e", "/etc/cloud/cloud-init.disabled");
    rf_autoagentresult struct rf_agent_result result = {0};
    if (rf_agent_exec(context->agent, argv, NULL, probe->seconds, &result, &why) < 0)
        return rf_probe_error(why, ret_words);
    *ret_words = rf_strdup(result.status == 0 ? "finished at the first boot" : "still at work");
    return result.status == 0 ? RF_HEALTH_OK : RF_HEALTH_WAITING;
}

static enum rf_health ask(const struct rf_recipe_probe *probe, const struct rf_probe_context *context, char **ret_words)
{
    rf_error *why = NULL;
    rf_autojson json_t *argv = json_pack("[s,s]", "/bin/cat", "/run/cloud-init/result.json");
    rf_autoagentresult struct rf_agent_result result = {0};
    if (rf_agent_exec(context->agent, argv, NULL, probe->seconds, &result, &why) < 0)
        return rf_probe_error(why, ret_words);
    if (result.status == 0)
        return judge(result.out, ret_words);
    return after_first_boot(probe, context, ret_words);
}

const struct rf_probe_ops rf_probe_cloud_init = {"cloud_init", NULL, rf_probe_nothing_missing, ask};
