/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of clearing a disk that comes before the first write. */
#pragma once

#include "raid/consent.h"

/* Stops everything that is built on the disk of that kernel name, top first, and looks after each that it is gone. First all of it is
 * looked at: where anything runs over a disk that the consent does not cover and stopping it would write there, or is of a kind
 * that a person has to shut down, nothing is stopped (RF_BAD_MACHINE). Nothing is unmounted and no swap is switched off: a disk
 * that is used like that is not chosen. What is stopped may be started again by udev for a moment, so it looks until nothing is
 * there. `sysroot` is "" but in tests. May be repeated; a kill leaves some of it stopped. Writes nothing to disks that the consent
 * does not cover. */
int rf_clear_shut_down(struct rf_step_env *env, const char *sysroot, const struct rf_consent *consent, const char *disk,
                       rf_error **err);
