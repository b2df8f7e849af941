/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/need.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"

#include <string.h>
#include <sys/statvfs.h>

static const struct {
    const char *tool, *package;
} table[] =
    {
        {"bsdtar", "libarchive-tools"}, {"cp", "coreutils"},
        {"mke2fs", "e2fsprogs"},        {"mksquashfs", "squashfs-tools"},
        {"mmdebstrap", "mmdebstrap"},   {"mount", "mount"},
        {"mtools", "mtools"}, /* mformat, mmd and mcopy are links to it */
        {"qemu-img", "qemu-utils"},     {"sfdisk", "fdisk"},
        {"unshare", "util-linux"},      {"xorriso", "xorriso"},
};

static bool in_path(const char *path, const char *tool)
{
    rf_autofree char *copy = rf_format("%s:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : "");
    for (char *rest = copy, *directory; (directory = strsep(&rest, ":"));) {
        rf_autofree char *file = rf_format("%s/%s", directory, tool);
        if (*directory && access(file, X_OK) == 0)
            return true;
    }
    return false;
}

void rf_need_tools(const char *path, rf_problems *problems)
{
    for (size_t i = 0; i < RF_COUNT(table); i++)
        if (!in_path(path, table[i].tool))
            rf_problem(problems, NULL, "%s is missing: apt-get install %s", table[i].tool, table[i].package);
}

void rf_need_root(unsigned user, rf_problems *problems)
{
    if (user != 0)
        rf_problem(problems, NULL,
                   "an image is built by root: its root file systems hold other users' files and devices");
}

void rf_need_room(const char *directory, uint64_t bytes, rf_problems *problems)
{
    rf_autofree char *path = rf_strdup(*directory ? directory : ".");
    for (char *slash; !rf_exists(path) && (slash = strrchr(path, '/')) && slash != path;)
        *slash = '\0';
    struct statvfs status;
    if (statvfs(rf_exists(path) ? path : *directory == '/' ? "/" : ".", &status) < 0)
        return;
    const uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    if (free_bytes >= bytes)
        return;
    rf_autofree char *there = rf_size_text(free_bytes), *wanted = rf_size_text(bytes);
    rf_problem(problems, NULL,
               "%s has %s free, the build may need %s: make room, or name another place by --cache and --output", path,
               there, wanted);
}

void rf_need_file(const char *path, const char *advice, rf_problems *problems)
{
    if (!rf_exists(path))
        rf_problem(problems, NULL, "%s is missing: %s", path, advice);
}
