/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which run of apt a hook was called by. */
#pragma once

/* A name for the run that process `pid` belongs to, the same in every hook of it, and of no other run, also where the number is used again or the
 * machine was restarted: "812:4711:BOOT". apt calls its hooks from a fork of itself, one for each call, so a parent of the same name counts in
 * the place of its child. "" where there is no such process. `proc` is "/proc" but in tests. The caller frees it. */
char *rf_apt_run(const char *proc, unsigned pid);
