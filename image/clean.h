/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must not be the same on every machine that comes out of one image, and what nobody needs, is taken out of a root. */
#pragma once

#include "base/error.h"

#include <time.h>

/* Removes what the patterns (glob(7), from the root's top; NULL-terminated) match, every regular file below var/log, and
 * makes etc/machine-id empty: systemd then makes one at first boot (machine-id(5)). Replaces, never writes into a file. A match behind
 * a link that leads out of `root` is RF_FAILED: it would be the building machine's. */
int rf_root_clean(const char *root, char *const *patterns, time_t date, rf_error **err);
