/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The profile that a node keeps counts at its next boot and once a week. One that is applied by hand takes its place, or it would be
 * undone there: a guest that it adds would be shut down as one that the profile no longer has.
 */
#pragma once

#include "base/event.h"
#include "profiles/profile.h"

#define RF_PROFILE_BEFORE ".before" /* behind the name of the kept profile: the one before it */

/* Is this profile for the node that keeps the one at `path`? RF_BAD_MACHINE where that has another node.id. 0 where nothing is kept there, or
 * where it is so broken that it does not say whose it is: a right one must be able to take its place. Changes nothing. */
int rf_profile_check_node(const rf_profile *profile, const char *path, rf_error **err);

/* Keeps `profile` at `path` (0600) and the one that was there at `path`.before, and says so; one that is the same already is left alone.
 * Under the node's lock. A kill leaves the former one or the new one, whole. Repeatable. */
int rf_profile_keep(rf_events *events, const rf_profile *profile, const char *path, rf_error **err);
