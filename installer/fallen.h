/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is wrong with arrays, as sentences for the run's events: members that md threw out while it was written to (an installation goes on
 * without them), and arrays that can't run. */
#pragma once

#include "raid/machine.h"

/* A sentence for each such member below `sysroot` ("" on a real machine), a line each, with the disk's serial where `machine` knows it; NULL where
 * there is none. The caller frees it. Reads /sys only; may be repeated. */
char *rf_fallen_text(const char *sysroot, const rf_machine *machine);

/* A sentence for each array that does not run, because too few of its members are there, a line each, with those that are; NULL where all run.
 * The same otherwise. */
char *rf_stopped_text(const char *sysroot);
