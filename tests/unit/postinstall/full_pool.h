/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file system that is full for whoever asks, where that is wished for: the function stands before the C library's own in the program that includes this. */
#pragma once

#include <dlfcn.h>
#include <stdbool.h>
#include <sys/statvfs.h>

static inline bool *full_pool(void)
{
    static bool wished;
    return &wished;
}

int statvfs(const char *path, struct statvfs *status)
{
    int (*real)(const char *, struct statvfs *);
    *(void **)&real = dlsym(RTLD_NEXT, "statvfs");
    const int result = real(path, status);
    if (*full_pool())
        status->f_bavail = 0;
    return result;
}
