/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/hold.h"

#include "base/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { MAPS_MAX = 4 << 20 };

/* proc_pid_maps(5): "START-END PERMS OFFSET DEV INODE PATH"; memory without a file has inode 0 and needs no medium. */
static void hold_mapping(const char *line)
{
    uintptr_t start, end;
    unsigned long inode;
    char permissions[5];
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu", &start, &end, permissions, &inode) == 4 && inode &&
        permissions[0] == 'r')
        mlock((const void *)start, end - start);
}

void rf_hold_program(void)
{
    rf_autofree char *maps = NULL;
    if (rf_read_file("/proc/self/maps", MAPS_MAX, &maps, NULL, NULL) < 0)
        return;
    char *rest = maps, *line;
    while ((line = strsep(&rest, "\n")))
        hold_mapping(line);
}
