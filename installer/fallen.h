/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members that md threw out of their array while it was written to: an installation goes on without them, and says so. */
#pragma once

#include "raid/machine.h"

/* A sentence for each such member below `sysroot` ("" on a real machine), a line each, with the disk's serial where `machine` knows it; NULL where
 * there is none. The caller frees it. Reads /sys only; may be repeated. */
char *rf_fallen_text(const char *sysroot, const rf_machine *machine);
