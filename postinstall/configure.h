/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that was set up learns what has changed since: settings, a renewed certificate, new accounts' passwords. Its recipe's `configure` is
 * run through the guest agent with the guest's description on standard input.
 */
#pragma once

#include "base/digest.h"
#include "base/step.h"
#include "postinstall/agent.h"
#include "postinstall/node.h"

#define RF_CONFIGURED_FILE "configured.json" /* in the guest's state: the digest of what it has put into practice */

/* Of the guest's description without what is issued for it (secrets, certificates: they are looked at by themselves). Pure. */
void rf_configure_digest(const struct rf_node_guest *guest, char ret_hex[RF_SHA256_HEX]);

/* The digest in such a file, the caller frees it; NULL where there is none. */
char *rf_configure_recorded(const char *path);

/* Is it in use, and can't be as the profile has it before it was told: it was brought back or in, or its directory was made anew, and has other
 * passwords for it? Then its health is asked for when it was told. */
bool rf_configure_owed(const struct rf_node_guest *guest);

/* Remembers that the guest has this description in its seed; and, once it has settled, that it has put it into practice. */
int rf_configure_seeded(const struct rf_node_guest *guest, rf_error **err);
int rf_configure_settled(const struct rf_node_guest *guest, rf_error **err);

/* Argument: rf_node_guest, one that has settled and whose recipe can. Afterwards every probe must say ok again. A kill before the end
 * makes the next run do it again. */
extern const struct rf_step_ops rf_step_guest_configure;

/* The doing, with an agent of the caller's choice (tests). */
int rf_configure_run(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *agent, rf_error **err);
