/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the guest accept a TCP connection from the node? */
#include "base/memory.h"
#include "postinstall/http.h"
#include "postinstall/probe.h"

static const char *missing(const struct rf_recipe_probe *probe)
{
    return probe->port || probe->port_of ? NULL : "port";
}

static enum rf_health ask(const struct rf_recipe_probe *probe, const struct rf_probe_context *context, char **ret_words)
{
    rf_error *why = NULL;
    if (rf_tcp_connect(context->address, probe->port, probe->seconds, &why) < 0)
        return rf_probe_error(why, ret_words);
    *ret_words = rf_format("port %u answers", probe->port);
    return RF_HEALTH_OK;
}

static const char *const keys[] = {"port", "port_of", NULL};

const struct rf_probe_ops rf_probe_tcp = {"tcp", keys, missing, ask};
