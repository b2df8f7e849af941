/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/disk_errors.h"

#include "base/file.h"
#include "base/memory.h"
#include "raid/match.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SAYS                                                                                                           \
    "I/O error, dev " /* the kernel's block/blk-mq.c, blk_print_req_error: "… dev sda, sector 2048 op 0x0:(READ) …" */

enum { RECORD_MAX = 8192, LOG_MAX = 4 << 20 };

/* /dev/kmsg gives one record a read (the kernel's Documentation/ABI/testing/dev-kmsg); EPIPE: some were overwritten meanwhile. */
static char *read_log(const char *path)
{
    rf_autofd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char *text = rf_strdup("");
    size_t total = 0;
    while (fd >= 0 && total < LOG_MAX) {
        char record[RECORD_MAX];
        ssize_t count = read(fd, record, sizeof(record) - 1);
        if (count < 0 && (errno == EPIPE || errno == EINTR))
            continue;
        if (count <= 0)
            break;
        record[count] = '\0';
        total += (size_t)count;
        if (strstr(record, SAYS))
            rf_append(&text, "%s", record);
    }
    return text;
}

/* "4,1234,5678901,-;I/O error, dev sda, …": microseconds are the third field. Is the line of this disk, and of our time? */
static bool is_of(const char *line, double since, const char *name)
{
    unsigned long long when = 0;
    const char *end = strchr(line, '\n');
    const char *said = strstr(line, SAYS);
    if (sscanf(line, "%*u,%*u,%llu,", &when) != 1 || !said || (end && said > end) || (double)when / 1e6 < since)
        return false;
    said += strlen(SAYS);
    return strcspn(said, ", \n") == strlen(name) && strncmp(said, name, strlen(name)) == 0;
}

static unsigned count_of(const char *log, double since, const char *name)
{
    unsigned count = 0;
    for (const char *line = log; *line; line += strcspn(line, "\n"), line += *line == '\n')
        count += is_of(line, since, name);
    return count;
}

char *rf_disk_errors_text(const char *path, double since, const rf_machine *machine)
{
    rf_autofree char *log = read_log(path);
    char *text = NULL;
    for (size_t i = 0; i < machine->disks_count; i++) {
        const struct rf_disk *disk = &machine->disks[i];
        const unsigned count = count_of(log, since, disk->name);
        rf_autofree char *label = rf_disk_label(disk);
        if (count)
            rf_append(&text, "%sthe kernel reports %u I/O error%s of disk %s (%s); replace it if that goes on",
                      text ? "\n" : "", count, count == 1 ? "" : "s", disk->name, label);
    }
    return text;
}
