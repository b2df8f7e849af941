/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run at a time: the node's own service and a person may both apply the profile, and two runs would make one disk. */
#pragma once

#include "base/event.h"

#define RF_TURN_FILE RF_RUN_DIR "/apply.lock"

/* Takes the turn; where another process has it, says so as an event and blocks until that one has ended, however it does (the kernel lets go
 * of what a killed one held). The file is made (0600); its directory must be there. Returns a descriptor (close-on-exec) that holds the
 * turn until it is closed, or -1. */
int rf_turn_take(rf_events *events, const char *file, rf_error **err);
