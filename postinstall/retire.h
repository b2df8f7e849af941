/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that this program made and that the profile no longer has: it is shut down, does not start with the node any more, and is
 * kept as it is. Only `richtfest guest delete` removes it.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Asks the guest to shut down and waits; never pulls its plug. Argument: rf_node_retired. Repeatable. */
extern const struct rf_step_ops rf_step_retire;

/* Is this domain one that this program made? */
bool rf_domain_ours(virDomainPtr domain);
