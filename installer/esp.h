/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One disk's ESP, mounted for as long as something is looked at or written there. */
#pragma once

#include "raid/layout.h"

struct rf_esp {
    char *where;
    bool mounted;
};

/* `target` is a directory of this program: the ESP is mounted at TARGET/esp<member>. `flags` are of mount(2): MS_RDONLY or 0. `ret` is all zero
 * before, and released by rf_esp_release also where this fails. Refused where the partition is not on the disk that was recorded
 * (raid/steps.h, rf_part_check). A kill leaves it mounted there. */
int rf_esp_mount(const struct rf_layout_disk *disk, const char *target, unsigned long flags, struct rf_esp *ret,
                 rf_error **err);

/* Unmounts, which flushes: whoever has written asks whether that went well. */
int rf_esp_unmount(struct rf_esp *esp, rf_error **err);

/* Unmounts what is still mounted, and frees. */
void rf_esp_release(struct rf_esp *esp);
#define rf_autoesp RF_CLEANUP(rf_esp_release)
