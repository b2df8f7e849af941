/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of each probe over time: since when it says what it says, and its last error. Kept in the guest's state. */
#pragma once

#include "postinstall/node.h"

/* Adds to each result of rf_health_ask "since" (when it began to say this) and, where there ever was one, "error": {"words", "at"};
 * and remembers what has changed. What can't be written is asked again the next time: no failure. */
void rf_probe_record(const struct rf_node_guest *guest, json_t *results);
