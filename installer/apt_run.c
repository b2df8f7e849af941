/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/apt_run.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* proc(5): "PID (NAME) STATE PPID … STARTTIME", of which the last is the 22nd, and a name may hold blanks and parentheses. */
struct process {
    char name[32];
    unsigned parent;
    unsigned long long started;
};

static bool read_process(const char *proc, unsigned pid, struct process *ret)
{
    rf_autofree char *path = rf_format("%s/%u/stat", proc, pid), *line = rf_read_line(path);
    const char *open = line ? strchr(line, '(') : NULL, *close = line ? strrchr(line, ')') : NULL;
    if (!open || !close || close < open)
        return false;
    snprintf(ret->name, sizeof(ret->name), "%.*s", (int)(close - open - 1), open + 1);
    return sscanf(close + 1, " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                  &ret->parent, &ret->started) == 2;
}

char *rf_apt_run(const char *proc, unsigned pid)
{
    struct process process, parent;
    rf_autofree char *path = rf_format("%s/sys/kernel/random/boot_id", proc), *boot = rf_read_line(path);
    if (!boot || !read_process(proc, pid, &process))
        return rf_strdup("");
    if (read_process(proc, process.parent, &parent) && strcmp(parent.name, process.name) == 0) {
        pid = process.parent;
        process = parent;
    }
    return rf_format("%u:%llu:%s", pid, process.started, boot);
}
