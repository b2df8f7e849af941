/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 64 };

/* Copies what stands behind the last `mark` into `line`; false where there is none. */
static bool behind_last(const char *text, size_t size, char mark, char line[LINE])
{
    const char *at = memrchr(text, mark, size);
    if (!at)
        return false;
    size_t length = size - (size_t)(at - text) - 1;
    length = length < LINE - 1 ? length : LINE - 1;
    memcpy(line, at + 1, length);
    line[length] = '\0';
    return true;
}

void rf_progress_mksquashfs(void *data, const char *text, size_t size)
{
    char line[LINE];
    uint64_t done, total;
    if (behind_last(text, size, ']', line) && sscanf(line, " %" SCNu64 "/%" SCNu64, &done, &total) == 2 &&
        done <= total)
        rf_step_progress(data, done, total, "blocks");
}

void rf_progress_qemu_img(void *data, const char *text, size_t size)
{
    char line[LINE];
    double percent;
    if (behind_last(text, size, '(', line) && sscanf(line, "%lf/100%%)", &percent) == 1 && percent >= 0 &&
        percent <= 100)
        rf_step_progress(data, (uint64_t)percent, 100, "%");
}

void rf_progress_xorriso(void *data, const char *text, size_t size)
{
    char line[LINE];
    double percent;
    if (behind_last(text, size, ':', line) && sscanf(line, " %lf%% done", &percent) == 1 && percent >= 0 &&
        percent <= 100)
        rf_step_progress(data, (uint64_t)percent, 100, "%");
}
