/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/node_lock.h"

#include "base/file.h"
#include "base/memory.h"

static void say(void *data, const char *holder)
{
    (void)data;
    fprintf(stderr,
            "richtfest: waiting for %s: one at a time changes this node. Ctrl-C ends the waiting; what a run of the "
            "service does: journalctl -fu richtfest-apply\n",
            holder);
}

int rf_node_lock(const char *directory, const char *what, struct rf_lock *ret_lock, bool *ret_waited, rf_error **err)
{
    rf_autofree char *path = rf_format("%s/lock", directory);
    if (rf_make_dirs(directory, 0700, err) < 0)
        return -1;
    return rf_lock_take(path, what, say, NULL, ret_lock, ret_waited, err);
}
