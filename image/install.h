/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packages into a root that is unpacked already, by this machine's apt from outside (its transport, proxies and keys count), set
 * up by the root's own dpkg in a chroot.
 */
#pragma once

#include "base/step.h"

#include <time.h>

struct rf_install {
    const char *root; /* with what a chroot needs in it (rf_sandbox_fill) */
    const char
        *lists;       /* the package lists that the root was made from: the same state of the archive. Not written to */
    const char *work; /* a directory outside the root: packages, apt's log, newer lists */
    char *const *packages; /* NULL-terminated; none: nothing is done */
    time_t date;
};

/*
 * Downloads, then sets up in one go, without network, without starting a service, without making a new initrd. Where the archive
 * no longer has a package of `lists` (404), its lists of today are taken for this root. Progress in percent. Blocks for as long
 * as the packages need (at most half an hour for each half). Leaves nothing of its own in the root; after a failure the root is
 * to be thrown away.
 */
int rf_install_packages(struct rf_step_env *env, const struct rf_install *wanted, rf_error **err);

/* apt.conf(5) for a root: what `lists` names as Dir::State::Lists. The caller frees it. Pure. */
char *rf_install_config(const char *root, const char *lists, const char *work);
