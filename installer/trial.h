/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What GRUB counts a trial's boots with: an environment block on the ESP of each disk. BIOS and UEFI GRUB write FAT on a plain partition, so
 * whichever disk is booted from counts, and on every ESP that it sees; a disk that is lost takes no count along.
 */
#pragma once

#include "base/step.h"
#include "installer/boot_choice.h"
#include "raid/layout.h"

/* Gives the trial its boots on the ESP of every disk of the layout; one that can't be written is said as an event and left out. RF_FAILED
 * where none could be: GRUB would boot the root before. Before the choice is written: nothing reads them until then. `target` as in
 * installer/esp.h. Flushed. Repeatable; a kill leaves counts of a trial that no choice names. */
int rf_trial_arm(struct rf_step_env *env, const rf_layout *layout, const char *target, const char *trial,
                 rf_error **err);

/* The block for a trial: RF_ENVBLK_SIZE bytes. Pure. */
void rf_trial_block(const char *trial, char *ret_block);
