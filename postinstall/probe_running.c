/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the guest's machine run? What is in it is not asked: for systems that offer nothing that could be. */
#include "base/memory.h"
#include "postinstall/probe.h"

static enum rf_health ask(const struct rf_recipe_probe *probe, const struct rf_probe_context *context, char **ret_words)
{
    (void)probe;
    *ret_words = rf_strdup(context->running ? "its machine runs; nothing in it is asked" : "its machine does not run");
    return context->running ? RF_HEALTH_OK : RF_HEALTH_WAITING;
}

const struct rf_probe_ops rf_probe_running = {"running", NULL, rf_probe_nothing_missing, ask};
