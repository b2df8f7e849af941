/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/qemu_img.h"

#include <stdio.h>
#include <string.h>

void rf_qemu_img_progress(void *data, const char *text, size_t size)
{
    char line[32];
    double percent;
    const char *at = memrchr(text, '(', size);
    if (!at)
        return;
    const size_t rest = size - (size_t)(at - text) - 1, length = rest < sizeof(line) - 1 ? rest : sizeof(line) - 1;
    memcpy(line, at + 1, length);
    line[length] = '\0';
    if (sscanf(line, "%lf/100%%)", &percent) == 1 && percent >= 0 && percent <= 100)
        rf_step_progress(data, (uint64_t)percent, 100, "%");
}
