/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's command line. */
#pragma once

/* The value of `name=value` on /proc/cmdline (the last one wins, as in the kernel); NULL where it is absent. The caller
 * frees it. */
char *rf_cmdline(const char *name);

/* The same on a given text; the caller frees the value. Values may stand in double quotes (bootparam(7)). */
char *rf_cmdline_value(const char *cmdline, const char *name);

/* The words that the installed node's kernel gets too: those before "---" (as debian-installer has it, the other way round), without
 * GRUB's BOOT_IMAGE. "" where there are none or the dashes are missing. The caller frees it. */
char *rf_cmdline_kept(void);
char *rf_cmdline_kept_of(const char *cmdline);
