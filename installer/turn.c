/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/turn.h"

#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

static int lock(int fd, int how)
{
    int result;
    do
        result = flock(fd, how);
    while (result < 0 && errno == EINTR);
    return result;
}

int rf_turn_take(rf_events *events, const char *file, rf_error **err)
{
    rf_autofd int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "opening %s", file);
    if (lock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return rf_fail_errno(err, RF_FAILED, errno, "locking %s", file);
        rf_emit_message(events, RF_WAITING, "for the end of another run of richtfest on this machine");
        if (lock(fd, LOCK_EX) < 0)
            return rf_fail_errno(err, RF_FAILED, errno, "locking %s", file);
    }
    int turn = fd;
    fd = -1;
    return turn;
}
