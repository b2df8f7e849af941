/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fat.h"

#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

enum {
    STATE = 0x41, /* BS_Reserved1 of FAT32's first sector (Microsoft's FAT specification 1.03, 3.3) */
    DIRTY = 1,    /* in it: Linux's mark (fs/fat/inode.c, fat_set_state) */
    MENDED = 1,   /* fsck.fat(8): errors were found, and corrected; but also what it says where it gives up at once */
};

static int read_mark(const char *device, bool *ret_dirty, rf_error **err)
{
    rf_autofd int fd = open(device, O_RDONLY | O_CLOEXEC);
    uint8_t state = 0;
    const ssize_t count = fd < 0 ? -1 : pread(fd, &state, 1, STATE);
    if (count != 1)
        return rf_fail_errno(err, RF_FAILED, count < 0 ? errno : EIO, "%s can't be read", device);
    *ret_dirty = state & DIRTY;
    return 0;
}

int rf_fat_mend(rf_runner *runner, const char *device, rf_error **err)
{
    bool dirty = false;
    if (read_mark(device, &dirty, err) < 0)
        return -1;
    if (!dirty)
        return 0;
    const struct rf_command command = {.argv = RF_ARGV("fsck.fat", "-a", device)};
    rf_autoresult struct rf_result result = {0};
    if (rf_run_status(runner, &command, &result, err) < 0)
        return -1;
    if (read_mark(device, &dirty, err) < 0)
        return -1;
    if (result.status <= MENDED && !dirty)
        return 0;
    return rf_fail(err, RF_FAILED,
                   "the file system on %s was written when the power went, and fsck.fat can't mend it (exit %d): %s%s",
                   device, result.status, result.out, result.err);
}
