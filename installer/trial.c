/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/trial.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/envblk.h"
#include "installer/esp.h"

#include <stdlib.h>

void rf_trial_block(const char *trial, char *ret_block)
{
    rf_autofree char *tries = rf_format("%d", RF_TRIAL_TRIES);
    const struct rf_envblk_variable variables[] = {{"rf_trial", trial}, {"rf_tries", tries}};
    rf_autoerror rf_error *error = NULL;
    if (rf_envblk_format(variables, RF_COUNT(variables), ret_block, &error) < 0)
        abort(); /* two short ones, always */
}

static int arm_one(const struct rf_layout_disk *disk, const char *target, const char *trial, rf_error **err)
{
    char block[RF_ENVBLK_SIZE];
    rf_autoesp struct rf_esp esp = {0};
    rf_trial_block(trial, block);
    if (rf_esp_mount(disk, target, 0, &esp, err) < 0)
        return -1;
    rf_autofree char *path = rf_format("%s" RF_TRIAL_ENV, esp.where);
    rf_autofree char *directory = rf_format("%s/EFI/richtfest", esp.where);
    if (rf_make_dirs(directory, 0700, err) < 0 || rf_write_file(path, block, sizeof(block), 0600, err) < 0)
        return -1;
    return rf_esp_unmount(&esp, err);
}

int rf_trial_arm(struct rf_step_env *env, const rf_layout *layout, const char *target, const char *trial,
                 rf_error **err)
{
    size_t armed = 0;
    for (size_t i = 0; i < layout->disks_count; i++) {
        rf_autoerror rf_error *error = NULL;
        if (arm_one(&layout->disks[i], target, trial, &error) == 0) {
            armed++;
            continue;
        }
        rf_autofree char *why = rf_error_text(error);
        rf_emit_message(env->events, RF_PROGRESS, "boots are not counted on disk %u: %s", layout->disks[i].member, why);
    }
    if (armed)
        return 0;
    return rf_fail(err, RF_FAILED,
                   "the ESP of no disk could be written, so GRUB could not count this root's boots and "
                   "would never boot it; nothing was switched");
}
