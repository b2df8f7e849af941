/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was handed over (postinstall/handover.h), by name: "dc1" for a guest's first passwords, "dc1.1a2b3c4d" for those of accounts that came later,
 * "admins/jiku" for an admin's. */
#pragma once

#include "base/json.h"

/* The names below `root` that belong to `wanted` (a guest, "admins/NAME", or one such name), all for NULL: an array of strings, sorted, so that the
 * first passwords come before the later ones. The caller owns it; never NULL. */
json_t *rf_handed_over(const char *root, const char *wanted);

/* Where such a name's file is. The caller frees it. */
char *rf_handed_over_path(const char *root, const char *name);
