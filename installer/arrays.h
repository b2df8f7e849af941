/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's arrays as the kernel sees them, for `richtfest status`. */
#pragma once

#include "base/json.h"

/* [{"name", "level", "size", "members", "working", "state", "resync": {"action", "percent", "speed", "seconds_left"}?}], from
 * /sys/block/md* below `sysroot` ("" on a node). Reads only. The caller owns the list; an empty one where there are none. */
json_t *rf_arrays_json(const char *sysroot);

/* The same as a table for people; the caller frees it. Pure. */
char *rf_arrays_text(const json_t *arrays);
