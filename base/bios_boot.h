/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GRUB's two pieces on a BIOS disk: the boot sector and the core image in the BIOS boot partition. GRUB's own
 * grub-bios-setup can't be used: it insists on finding the disk behind the directory that its files lie in, which is an
 * overlay in the live system and a folder in the image build. What it writes is four fields in two sectors (GRUB's
 * include/grub/i386/pc/boot.h and util/setup.c).
 */
#pragma once

#include "base/error.h"

#include <stdint.h>

#define RF_SECTOR 512

/* The boot sector to be written over `sector` (the disk's first, as it is now; its partition table and disk signature are
 * kept): GRUB's boot.img, told that the core starts at sector `core_lba`. Pure. */
void rf_bios_boot_sector(uint8_t sector[RF_SECTOR], const uint8_t boot_img[RF_SECTOR], uint64_t core_lba);

/* Tells the core image where the rest of it lies: behind its own first sector, in one piece. -1 where it is no core image
 * made by grub-mkimage -O i386-pc. Pure. */
int rf_bios_boot_core(uint8_t *core, size_t size, uint64_t core_lba, rf_error **err);

/* Is all of it on the disk already? 1 yes, 0 no, -1 and *err where something can't be read. `start` and `size` are the BIOS
 * boot partition's, in bytes; sectors are counted in 512 bytes, as the BIOS does. */
int rf_bios_boot_check(int fd, uint64_t start, uint64_t size, const char *boot_path, const char *core_path,
                       rf_error **err);

/* Writes the core, flushes, then writes the boot sector and flushes: a kill in between leaves a disk that does not boot yet,
 * or boots what it booted before. Repeatable. */
int rf_bios_boot_write(int fd, uint64_t start, uint64_t size, const char *boot_path, const char *core_path,
                       rf_error **err);
