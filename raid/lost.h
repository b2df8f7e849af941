/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a finished installation had and is gone: it is not made anew, because that would write over what is left of it. */
#pragma once

#include "base/error.h"

/* `device` has lost `what` ("its btrfs file system (UUID ...)"): RF_BAD_MACHINE, with what a person can do. Where the device itself is
 * not there, that is said instead (RF_FAILED): nobody may empty disks for that. Returns -1. */
int rf_fail_lost(rf_error **err, const char *device, const char *what);
