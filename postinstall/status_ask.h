/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's probes as `richtfest status` asks them: each once, with a person waiting. */
#pragma once

#include "postinstall/agent.h"
#include "postinstall/node.h"

/* How many seconds this probe gets: what the node asks by itself is answered at once or not at all; a program in the guest (a desktop on a
 * disk that was asleep) gets what its recipe says, up to three minutes, unless the guest's agent is mute. Pure. */
unsigned rf_status_seconds(const struct rf_recipe_probe *probe, bool mute);

/* Asks all of them once, in order: an array as rf_health_ask returns it. Blocks for up to the sum of their seconds. The caller owns it. */
json_t *rf_status_ask(const struct rf_node_guest *guest, rf_agent *agent);
