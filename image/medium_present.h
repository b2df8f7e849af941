/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "base/error.h"

/* Whether the medium can still be read now: one page of every payload is read past the page cache, where what was read earlier would
 * hide that the medium is gone. RF_FAILED names the first that can't be read. Takes as long as a few seeks; may be repeated; writes
 * nothing. Says nothing about the rest of the medium: rf_medium_verify does. */
int rf_medium_present(const char *medium_dir, rf_error **err);
