/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel has said of disks that fail: a tool that ends with "Input/output error" does not know which disk it was. */
#pragma once

#include "raid/machine.h"

#define RF_KERNEL_LOG "/dev/kmsg"

/* A sentence for each of the machine's disks of which the kernel's log at `path` reports errors since `since` (CLOCK_MONOTONIC, seconds), a line
 * each; NULL where there is none, or the log can't be read. The caller frees it. Reads only, does not wait; may be repeated. */
char *rf_disk_errors_text(const char *path, double since, const rf_machine *machine);
