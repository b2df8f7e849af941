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

void rf_progress_xorriso(void *data, const char *text, size_t size)
{
    char line[LINE];
    double percent;
    if (behind_last(text, size, ':', line) && sscanf(line, " %lf%% done", &percent) == 1 && percent >= 0 &&
        percent <= 100)
        rf_step_progress(data, (uint64_t)percent, 100, "%");
}

static void apt_line(struct rf_progress_apt *self)
{
    static const char *const counted[] = {"Get:", "Unpacking ", "Setting up "};
    unsigned upgraded, installed;
    if (sscanf(self->line, "%u upgraded, %u newly installed", &upgraded, &installed) == 2)
        self->packages = upgraded + installed;
    for (size_t i = 0; i < RF_COUNT(counted); i++)
        self->steps += strncmp(self->line, counted[i], strlen(counted[i])) == 0;
}

void rf_progress_apt(void *data, const char *text, size_t size)
{
    struct rf_progress_apt *self = data;
    for (const char *at = text; at < text + size; at++) {
        if (*at != '\n') {
            if (self->used + 1 < sizeof(self->line))
                self->line[self->used++] = *at;
            continue;
        }
        self->line[self->used] = '\0';
        self->used = 0;
        apt_line(self);
    }
    const unsigned all = 3 * self->packages;
    if (all)
        rf_step_progress(self->env, self->steps < all ? self->steps * 100 / all : 100, 100, "%");
}
