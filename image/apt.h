/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which archive this machine uses: sources.list(5) in both its forms, one-line and deb822. The image is built from the same
 * mirror, so that what works for the machine works for the build; no host name stands in this program.
 */
#pragma once

#include "base/error.h"

struct rf_mirrors {
    char *main;     /* "https://…/debian", without a slash at the end; NULL: not found */
    char *security; /* the archive of SUITE-security; NULL: not found */
};

void rf_mirrors_clear(struct rf_mirrors *mirrors);
#define rf_automirrors RF_CLEANUP(rf_mirrors_clear)

/* Reads one file's text. Each binary source ("deb", enabled) that offers component main of suite `codename` or
 * `codename`-security sets the mirror, where it is not set yet. Pure. */
void rf_apt_parse_list(const char *text, const char *codename, struct rf_mirrors *mirrors);
void rf_apt_parse_deb822(const char *text, const char *codename, struct rf_mirrors *mirrors);

/* The mirrors of the machine below `sysroot` ("" for this one): etc/apt/sources.list, then etc/apt/sources.list.d sorted by
 * name. The codename is the machine's own (etc/os-release). RF_BAD_MACHINE where no mirror is found, with what to do. */
int rf_apt_mirrors(const char *sysroot, struct rf_mirrors *ret_mirrors, rf_error **err);
