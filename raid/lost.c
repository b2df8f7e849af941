/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/lost.h"

#include "base/file.h"

int rf_fail_lost(rf_error **err, const char *device, const char *what)
{
    if (!rf_exists(device))
        return rf_fail(
            err, RF_FAILED,
            "%s is not there. An installation of this node was finished once (a disk of it is marked as "
            "bootable), so it is not made anew; restart this machine, and if it stays away, look at its disks",
            device);
    return rf_fail(err, RF_BAD_MACHINE,
                   "%s has lost %s. An installation of this node was finished once (a disk of it is marked as "
                   "bootable), so it held the node's data, and it was not written. Bring it back, or copy what is left "
                   "of it, from a rescue system; if nobody needs it, empty this node's disks there (`wipefs --all` "
                   "each partition and then the disk) and start again",
                   device, what);
}
