/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is a guest healthy? Its recipe's probes, asked once or until all say yes. */
#pragma once

#include "base/step.h"
#include "postinstall/agent.h"
#include "postinstall/node.h"

/* Asks every probe once (each bounded by its own time and by `seconds_max`, 0: no further bound). An array of
 * {"probe", "state": ok|waiting|broken, "words"}; the caller owns it. Never holds a secret. */
json_t *rf_health_ask(const struct rf_node_guest *guest, rf_agent *agent, unsigned seconds_max);

/* Are there as many as there are probes, at least one, and do all of them say ok? */
bool rf_health_all_ok(const json_t *results, size_t probes);

/* What was recorded when the guest became healthy: {"since": time, "probes": […]}, or NULL. The caller owns it. */
json_t *rf_health_recorded(const struct rf_node_guest *guest);

/* The end of the guest's serial console, readable and bounded; the caller frees it. */
char *rf_console_tail(const struct rf_node_guest *guest);

/* Waits until every probe says ok, one after the other, for each of them up to the recipe's time (four times that without KVM); each change is
 * told as a progress event. A failure names the probe, its last words and the console's last lines. Argument: rf_node_guest. Changes nothing in
 * the guest and may be repeated. */
extern const struct rf_step_ops rf_step_health;

/* What the step does, with an agent of the caller's choice: all of its probes; or, where a guest in use can't be well before it was told something
 * (rf_configure_owed), whether its agent answers. All are asked when it was told. */
int rf_health_come_up(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, rf_error **err);

/* The waiting itself, with an agent of the caller's choice. */
int rf_health_wait(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, rf_error **err);
