/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/lock.h"

#include "base/guard.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

enum { HOLDER_MAX = 256 };

/* Empty for an instant after another took it, and where it was killed in between. */
static char *holder_of(int fd)
{
    char text[HOLDER_MAX] = "";
    const ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return rf_strdup(*text ? text : "another richtfest");
}

/* Only for people: that it can't be written is no reason to do nothing. */
static void write_holder(int fd, const char *what)
{
    char when[32];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&now, &utc));
    rf_autofree char *text = rf_format("%s (process %d, since %s)\n", what, (int)getpid(), when);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0)
        return;
}

static int wait_for(int fd, const char *path, rf_error **err)
{
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return rf_fail_errno(err, RF_FAILED, errno, "waiting for %s", path);
    return 0;
}

int rf_lock_take(const char *path, const char *what, rf_lock_waiting *waiting, void *data, struct rf_lock *ret_lock,
                 bool *ret_waited, rf_error **err)
{
    rf_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s, which keeps two from changing one node, can't be opened",
                             path);
    const bool taken = flock(fd, LOCK_EX | LOCK_NB) < 0;
    if (taken && errno != EWOULDBLOCK)
        return rf_fail_errno(err, RF_FAILED, errno, "%s, which keeps two from changing one node, can't be locked",
                             path);
    if (taken) {
        rf_autofree char *holder = holder_of(fd);
        waiting(data, holder);
        if (wait_for(fd, path, err) < 0)
            return -1;
    }
    write_holder(fd, what);
    *ret_lock = (struct rf_lock){fd, true};
    fd = -1;
    if (ret_waited)
        *ret_waited = taken;
    return 0;
}

void rf_lock_release(struct rf_lock *lock)
{
    if (lock->held) {
        if (ftruncate(lock->fd, 0) == 0) /* who looks between two holders is told no name that is wrong */
            flock(lock->fd, LOCK_UN);
        close(lock->fd);
    }
    *lock = (struct rf_lock){0};
}
