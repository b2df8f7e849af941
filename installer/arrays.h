/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's arrays as the kernel sees them, for `richtfest status`. */
#pragma once

#include "base/json.h"

#include <stdbool.h>

/* [{"name", "level", "size", "members", "working", "state", "spares": ["sdc3"], "onto": ["sdb3"], "resync": {"action", "percent", "speed", "seconds_left",
 * "waits"}?}], from /sys/block/md* below `sysroot` ("" on a node). `state` is "clean", "growing" (a reshape), "rebuilding", "degraded",
 * "degraded on purpose" (no more than `missing` members are away: the profile says that they are), "inactive" or "broken". `onto` are the partitions that
 * are being filled in a lost member's place. Of a resync, what is not known yet is not there. Reads only. The caller owns the list; an empty one where there are none. */
json_t *rf_arrays_json(const char *sysroot, unsigned missing);

/* "system" for "md127": /dev/md/system below `sysroot` points to it. Its own name where none does. Reads only; the caller frees it. */
char *rf_array_given_name(const char *sysroot, const char *array);

/* Is each as its profile wants it? Pure. */
bool rf_arrays_well(const json_t *arrays);

/* The same as a table for people; the caller frees it. Pure. */
char *rf_arrays_text(const json_t *arrays);
