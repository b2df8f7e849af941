/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/spool_keep.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "base/report_queue.h"
#include "profiles/profile.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

/* Where a file of the node's state lies while its subvolume is mounted at `where`. */
static char *state_path(const char *where, const char *on_node)
{
    return rf_format("%s%s", where, on_node + strlen(RF_STATE_DIR));
}

static int check_owner(const char *where, const char *profile, rf_error **err)
{
    rf_autofree char *path = state_path(where, RF_STATE_PROFILE);
    rf_autofree char *found = NULL;
    if (rf_read_file(path, RF_PROFILE_MAX, &found, NULL, err) < 0)
        return -1;
    if (strcmp(found, profile) != 0)
        return rf_fail(err, RF_FAILED, "%s is another node's", path);
    return 0;
}

static int move(const char *spool, const char *where, const char *profile, rf_error **err)
{
    rf_autofree char *kept = state_path(where, RF_STATE_SPOOL);
    return check_owner(where, profile, err) < 0 ? -1 : rf_report_spool_move(spool, kept, err);
}

int rf_spool_keep(const char *spool, const struct rf_state_volume *volume, const char *where, const char *profile,
                  size_t *ret_count, rf_error **err)
{
    rf_autofree char *since = NULL;
    *ret_count = rf_report_spool_count(spool, &since);
    if (*ret_count == 0)
        return 0;
    if (rf_make_dirs(where, 0700, err) < 0)
        return -1;
    if (mount(volume->device, where, volume->type, MS_NOATIME | MS_NODEV | MS_NOEXEC | MS_NOSUID, volume->options) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the node's state on %s can't be mounted", volume->device);
    int moved = move(spool, where, profile, err);
    if (umount(where) < 0) /* what went wrong first is what gets said */
        return rf_fail_errno(moved < 0 ? NULL : err, RF_FAILED, errno, "the node's state at %s can't be unmounted",
                             where);
    return moved;
}
