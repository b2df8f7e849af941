/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the guest agent answer? */
#include "base/memory.h"
#include "postinstall/probe.h"

static enum rf_health ask(const struct rf_recipe_probe *probe, const struct rf_probe_context *context, char **ret_words)
{
    rf_error *why = NULL;
    if (rf_agent_ping(context->agent, probe->seconds, &why) < 0)
        return rf_probe_error(why, ret_words);
    *ret_words = rf_strdup("answers");
    return RF_HEALTH_OK;
}

const struct rf_probe_ops rf_probe_agent = {"agent", NULL, rf_probe_nothing_missing, ask};
