/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mounts that only this test's program sees. */
#pragma once

#include <sched.h>
#include <sys/mount.h>

/* A group's setup. Whoever else on this machine makes a mount namespace while a test has something mounted would take a copy of that mount
 * along, and the file system would be in use until it ends. Where this fails, so do mounts: not root. */
static inline int mounts_of_our_own(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNS) == 0)
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return 0;
}
