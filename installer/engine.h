/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profile and machine in, a changed machine out: what install, repair and convergence have in common. */
#pragma once

#include "installer/session.h"
#include "installer/site.h"

/* Plans and applies. The run's `started` leaves before the first write; its end is the caller's (rf_session_end). Problems of the
 * machine come back as one RF_BAD_MACHINE error that holds all of them, a line each. What can be planned is kept as the node's profile
 * (options->keep) before the first step. May be repeated. */
int rf_engine_apply(struct rf_session *session, const rf_profile *profile, const rf_machine *machine,
                    const struct rf_site_options *options, struct rf_apply_summary *ret_summary, rf_error **err);

/* A list of problems as one error: "N problems:" and a line each. Returns -1. */
int rf_fail_problems(rf_error **err, enum rf_code code, const rf_problems *problems);
