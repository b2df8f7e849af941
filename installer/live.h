/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The unattended run in the live system: find the profile, plan, apply, reboot. */
#pragma once

/* Blocks until the machine is installed and reboots, or until nothing more can be done. `medium` is where the ISO is mounted.
 * Returns an exit code of enum rf_code. */
int rf_live_run(const char *medium);
