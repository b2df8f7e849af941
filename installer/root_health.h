/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is a root on trial one that a person can work with? */
#pragma once

#include "base/step.h"
#include "installer/roots.h"

/* SSH runs, this machine has an address, libvirt answers, no array is broken, the guests' images are mounted. What guests do is not asked: their
 * failures have other reasons than a root. -1 and *err name the first that is not so. Waits up to a minute for the address. `sysroot` is "" but
 * in tests. */
int rf_root_health(rf_runner *runner, const char *sysroot, rf_error **err);

/* The part of it that is read from /sys and the mounts alone. */
int rf_root_health_disks(const char *sysroot, rf_error **err);
