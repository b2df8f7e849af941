/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member gets its place in its directory before it is set up: the directory's own program (/usr/lib/richtfest/enrol in its image) is
 * asked through the guest agent, with JSON on standard input. It makes the member's accounts and its address record, and may be asked
 * again.
 */
#pragma once

#include "base/step.h"
#include "postinstall/agent.h"
#include "postinstall/node.h"

/* What is asked for `guest`, with the passwords that it is still to learn (`secrets`, may be NULL). Pure; the caller owns it. */
json_t *rf_enrol_request(const struct rf_node_guest *guest, const json_t *secrets);

/* Argument: rf_node_guest, one that has a directory. What was asked is remembered as a digest; it is asked again when that changes, when
 * there are new passwords, or when the directory was made anew. */
extern const struct rf_step_ops rf_step_enrol;

/* The asking itself, with an agent of the caller's choice (tests). Asks again while the program says "not yet", for up to
 * `seconds`. */
int rf_enrol_ask(struct rf_step_env *env, const struct rf_node_guest *guest, rf_agent *directory, unsigned seconds,
                 rf_error **err);
