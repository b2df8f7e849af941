/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts the files that were flushed: this fsync(2) stands before the library's own in the program that includes this, and hands on to it. */
#pragma once

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct flushes {
    const char *path; /* of whom: a part of it */
    unsigned count;
};

static inline struct flushes *flushes(void)
{
    static struct flushes wanted;
    return &wanted;
}

int fsync(int fd)
{
    int (*real)(int);
    char link[64], path[4096] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, path, sizeof(path) - 1);
    path[size < 0 ? 0 : size] = '\0';
    flushes()->count += flushes()->path && strstr(path, flushes()->path);
    *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    return real(fd);
}
