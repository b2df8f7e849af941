/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program inside the guest that says by its exit status whether something works: 0 works, 2 will never work, anything else
 * not yet. It gets the named secret on standard input as long as the node keeps it, later an empty one. `via: proxy`: it is told to go
 * where people go, by the published name and the node's proxy.
 */
#include "base/json.h"
#include "base/memory.h"
#include "postinstall/probe.h"

enum { STATUS_OK = 0, STATUS_BROKEN = 2 };

static const char *missing(const struct rf_recipe_probe *probe)
{
    if (!json_array_size(probe->argv))
        return "argv";
    return probe->via_proxy && !probe->host ? "host" : NULL;
}

/* The program, and for a way in by the published name that way as its last word. */
static json_t *argv_of(const struct rf_recipe_probe *probe, const json_t *settings)
{
    json_t *argv = json_copy(probe->argv);
    const char *host = probe->via_proxy ? rf_json_string(settings, probe->host) : NULL;
    rf_autofree char *url = host ? rf_format("https://%s", host) : NULL;
    if (url)
        json_array_append_new(argv, json_string(url));
    return argv;
}

static enum rf_health ask(const struct rf_recipe_probe *probe, const struct rf_probe_context *context, char **ret_words)
{
    rf_error *why = NULL;
    rf_autoagentresult struct rf_agent_result result = {0};
    const json_t *secrets = probe->of_directory ? context->directory_secrets : context->secrets;
    const char *secret = probe->secret ? rf_json_string(secrets, probe->secret) : NULL;
    rf_autosecret char *input = secret ? rf_format("%s\n", secret) : rf_strdup("");
    rf_autojson json_t *argv = argv_of(probe, context->settings);
    if (rf_agent_exec(context->agent, argv, input, probe->seconds, &result, &why) < 0)
        return rf_probe_error(why, ret_words);
    rf_autofree char *line = rf_probe_last_line(*result.err && result.status ? result.err : result.out);
    if (result.status == STATUS_OK) {
        *ret_words = rf_strdup(*line ? line : "works");
        return RF_HEALTH_OK;
    }
    *ret_words = rf_format("%s%sstatus %d", line, *line ? ", " : "", result.status);
    return result.status == STATUS_BROKEN ? RF_HEALTH_BROKEN : RF_HEALTH_WAITING;
}

static const char *const keys[] = {"argv", "secret", "host", "via", NULL};

const struct rf_probe_ops rf_probe_exec = {"exec", keys, missing, ask};
