/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/medium_present.h"

#include "base/memory.h"
#include "image/medium.h"

#include <errno.h>
#include <fcntl.h>

enum { PAGE = 64 << 10 }; /* dropped from the cache: whole pages, whatever their size */

/* The page in the middle, which is no one's first or last and so is rarely in use. FADV_RANDOM: no reading ahead. */
static int read_past_cache(int fd, off_t size)
{
    off_t offset = size / 2 / PAGE * PAGE;
    char byte;
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    posix_fadvise(fd, offset, PAGE, POSIX_FADV_DONTNEED);
    ssize_t got = pread(fd, &byte, 1, offset);
    if (got == 0 && size > 0)
        errno = EIO; /* it has become shorter */
    return got == 1 || size == 0 ? 0 : -1;
}

int rf_medium_present(const char *medium_dir, rf_error **err)
{
    rf_automedium rf_medium *medium = NULL;
    if (rf_medium_load(medium_dir, &medium, err) < 0)
        return -1;
    for (size_t i = 0; i < medium->payloads_count; i++) {
        const struct rf_payload *payload = &medium->payloads[i];
        rf_autofree char *path = rf_format("%s%s", medium_dir, payload->path);
        rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read_past_cache(fd, (off_t)payload->size) < 0)
            return rf_fail_errno(err, RF_FAILED, errno, "%s on the medium can't be read", payload->path);
    }
    return 0;
}
