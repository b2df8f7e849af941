/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tools say of their progress, read from their output. */
#pragma once

#include "base/step.h"

/* For rf_command.on_output; `data` is the step's rf_step_env. Output comes in chunks of any size: what can't be read is left
 * out. mksquashfs: "[===  ] 3200/5865  54%"; xorriso: "UPDATE :  12.34% done". */
void rf_progress_mksquashfs(void *data, const char *text, size_t size);
void rf_progress_xorriso(void *data, const char *text, size_t size);

/* apt-get through its output: "57 newly installed" says how many packages there are, and each is fetched ("Get:"), unpacked
 * ("Unpacking ") and set up ("Setting up "), which is told in percent of all three, however often apt-get is run. `data` is this. */
struct rf_progress_apt {
    struct rf_step_env *env;
    unsigned packages, steps;
    char line[64]; /* the beginning of the line that a chunk ended in */
    size_t used;
};

/* The same for a run of apt-get. */
void rf_progress_apt(void *data, const char *text, size_t size);
