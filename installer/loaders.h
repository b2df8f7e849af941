/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The boot loaders of one disk, for BIOS and for UEFI, from the packages of the root that runs: Debian's signed shim and GRUB at the
 * distribution's and at the fallback path of the disk's own ESP, and GRUB for BIOS in its first sector and its BIOS boot partition. Every
 * disk has all of them. So no entry in the firmware's variables is needed (UEFI 2.10, 3.5.1.1), and firmware that is switched between
 * BIOS and UEFI, or has forgotten everything, boots any disk.
 */
#pragma once

#include "base/step.h"
#include "installer/system_files.h"
#include "raid/layout.h"

struct rf_loaders {
    const struct rf_layout_disk *disk; /* borrowed, all of them */
    const struct rf_system_ids *ids;
    const char *target; /* a directory of this program: the ESP is mounted below it for as long as a call takes */
};

/* Writes all of them. What makes each side bootable (BOOTX64.EFI, the first sector) is written last on its side, and a file of the ESP is
 * replaced whole: a kill leaves what was there, what is wanted, or a disk that boots by one of the two sides. Flushed. Repeatable. */
int rf_loaders_write(struct rf_step_env *env, const struct rf_loaders *loaders, rf_error **err);

/* Reads them back: the ESP from a mount of its own, the rest from the disk itself, byte by byte against what rf_loaders_write would write.
 * *ret_wrong is NULL where all is as it should be, or says what is not, a clause each ("/EFI/BOOT/BOOTX64.EFI is not there"); the caller
 * frees it. -1 and *err where it can't be read. Writes nothing to the disk. */
int rf_loaders_check(struct rf_step_env *env, const struct rf_loaders *loaders, char **ret_wrong, rf_error **err);
