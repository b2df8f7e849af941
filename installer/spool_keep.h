/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last thing before the reboot into the node: events that were not delivered go along with it. */
#pragma once

#include "base/error.h"

#include <stddef.h>

/* The volume with the node's state, as mount(2) wants it. */
struct rf_state_volume {
    const char *device, *type, *options; /* options: of the file system, or NULL */
};

/* Puts what the spool at `spool` holds behind the node's own (RF_STATE_SPOOL), where the node's first run finds it and sends it before
 * its own events; *ret_count is how many events that were. For that alone the volume is mounted once more, at `where` (made if
 * need be), and only where its profile.yaml is `profile`, byte for byte. An empty spool mounts nothing.
 *
 * No program is run: the medium that they would be read from may be gone. A kill or a power cut leaves the spool there or not; nothing
 * that boots is touched. On success everything is flushed and unmounted. Blocks as long as the disks take. */
int rf_spool_keep(const char *spool, const struct rf_state_volume *volume, const char *where, const char *profile,
                  size_t *ret_count, rf_error **err);
