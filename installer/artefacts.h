/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Artefacts that the guests' images were built without, as far as this machine can know: from its node's list, or from a medium. */
#pragma once

#include "profiles/profile.h"

/* The list of this node; elsewhere that of the medium mounted at `medium`. The caller owns it. NULL: neither is here. */
json_t *rf_artefacts_here(const char *medium);

/* "GUEST: waiting for artefact …", a line for each guest of the profile and artefact that it can't be without; "" where none
 * waits. `facts` are those of the node that is looked at, or NULL. The caller frees it. */
char *rf_artefacts_waiting_text(const rf_profile *profile, const json_t *artefacts, const json_t *facts);

/* Leaves the list of the medium at `file` for the node, where the medium has one. Repeatable, atomic. */
int rf_artefacts_leave(const char *medium, const char *file, rf_error **err);

/* Does `file` hold the list of the medium? True where the medium has none. */
bool rf_artefacts_left(const char *medium, const char *file);
