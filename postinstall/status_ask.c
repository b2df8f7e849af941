/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/status_ask.h"

#include "postinstall/health.h"
#include "postinstall/probe.h"

enum { QUICK_SECONDS = 10, PROGRAM_SECONDS = 180 };

unsigned rf_status_seconds(const struct rf_recipe_probe *probe, bool mute)
{
    unsigned most = probe->ops == &rf_probe_exec && !mute ? PROGRAM_SECONDS : QUICK_SECONDS;
    return probe->seconds < most ? probe->seconds : most;
}

/* The guest as if it had this one probe. */
static json_t *ask_one(const struct rf_node_guest *guest, size_t index, rf_agent *agent, bool mute)
{
    rf_recipe recipe = *guest->recipe;
    struct rf_node_guest view = *guest;
    recipe.probes = &guest->recipe->probes[index];
    recipe.probes_count = 1;
    view.recipe = &recipe;
    return rf_health_ask(&view, agent, rf_status_seconds(recipe.probes, mute));
}

json_t *rf_status_ask(const struct rf_node_guest *guest, rf_agent *agent)
{
    json_t *results = json_array();
    bool mute = false;
    for (size_t i = 0; i < guest->recipe->probes_count; i++) {
        json_t *one = ask_one(guest, i, agent, mute);
        mute |= guest->recipe->probes[i].ops == &rf_probe_agent && !rf_health_all_ok(one, 1);
        json_array_extend(results, one);
        json_decref(one);
    }
    return results;
}
