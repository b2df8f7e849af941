/* SPDX-License-Identifier: GPL-3.0-or-later */
/* qemu-img as a step sees it. */
#pragma once

#include "base/step.h"

/* For rf_command.on_output of a `qemu-img … -p`, whose output says "(12.34/100%)" now and then: progress events in percent. `data` is
 * the step's rf_step_env. Output comes in chunks of any size: what can't be read is left out. */
void rf_qemu_img_progress(void *data, const char *text, size_t size);
