/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/bios_boot.h"

#include "base/file.h"
#include "base/memory.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Offsets in boot.img (GRUB_BOOT_MACHINE_* in include/grub/i386/pc/boot.h). */
enum {
    BPB_START = 0x3,
    BPB_END = 0x5a,
    KERNEL_SECTOR = 0x5c, /* 8 bytes: first sector of the core */
    BOOT_DRIVE = 0x64,    /* 0xff: the drive that the BIOS booted from */
    DRIVE_CHECK = 0x66,   /* a jump that is only needed on floppies */
    CODE_END = 0x1b8,     /* from here: disk signature, partition table */
    SIGNATURE = 0x1fe,
};

/* The last 12 bytes of the core's first sector: { u64 start, u16 length, u16 segment } in sectors. */
enum { LIST_START = RF_SECTOR - 12, LIST_LENGTH = RF_SECTOR - 4, CORE_MAX = 1 << 20 };

void rf_bios_boot_sector(uint8_t sector[RF_SECTOR], const uint8_t boot_img[RF_SECTOR], uint64_t core_lba)
{
    uint64_t lba = htole64(core_lba);
    memcpy(sector, boot_img, BPB_START);
    memcpy(sector + BPB_END, boot_img + BPB_END, CODE_END - BPB_END);
    memcpy(sector + KERNEL_SECTOR, &lba, sizeof(lba));
    sector[BOOT_DRIVE] = 0xff;
    memset(sector + DRIVE_CHECK, 0x90, 2); /* NOP NOP */
    sector[SIGNATURE] = 0x55;
    sector[SIGNATURE + 1] = 0xaa;
}

int rf_bios_boot_core(uint8_t *core, size_t size, uint64_t core_lba, rf_error **err)
{
    uint16_t length = 0;
    if (size > RF_SECTOR)
        memcpy(&length, core + LIST_LENGTH, sizeof(length));
    if (le16toh(length) == 0 || le16toh(length) != (size - 1) / RF_SECTOR)
        return rf_fail(err, RF_FAILED, "this is no core image of grub-mkimage -O i386-pc");
    uint64_t rest = htole64(core_lba + 1);
    memcpy(core + LIST_START, &rest, sizeof(rest));
    return 0;
}

struct pieces {
    uint8_t *boot, *core;
    size_t core_size;
    uint8_t sector[RF_SECTOR]; /* the disk's first, as it shall be */
    uint8_t before[RF_SECTOR]; /* and as it is */
};

static void release(struct pieces *pieces)
{
    free(pieces->boot);
    free(pieces->core);
}

static int prepare(struct pieces *pieces, int fd, uint64_t start, uint64_t size, const char *boot_path,
                   const char *core_path, rf_error **err)
{
    size_t boot_size;
    if (rf_read_file(boot_path, RF_SECTOR, (char **)&pieces->boot, &boot_size, err) < 0 ||
        rf_read_file(core_path, CORE_MAX, (char **)&pieces->core, &pieces->core_size, err) < 0)
        return -1;
    if (boot_size != RF_SECTOR)
        return rf_fail(err, RF_FAILED, "%s is not one sector", boot_path);
    if (pieces->core_size > size)
        return rf_fail(err, RF_FAILED, "%s (%zu bytes) does not fit into the BIOS boot partition (%ju bytes)",
                       core_path, pieces->core_size, (uintmax_t)size);
    if (rf_bios_boot_core(pieces->core, pieces->core_size, start / RF_SECTOR, err) < 0)
        return rf_wrap(err, "%s", core_path);
    if (pread(fd, pieces->before, RF_SECTOR, 0) != RF_SECTOR)
        return rf_fail_errno(err, RF_FAILED, errno, "the boot sector can't be read");
    memcpy(pieces->sector, pieces->before, RF_SECTOR);
    rf_bios_boot_sector(pieces->sector, pieces->boot, start / RF_SECTOR);
    return 0;
}

static bool core_is_there(const struct pieces *pieces, int fd, uint64_t start)
{
    rf_autofree uint8_t *found = rf_alloc(pieces->core_size);
    return pread(fd, found, pieces->core_size, (off_t)start) == (ssize_t)pieces->core_size &&
           memcmp(found, pieces->core, pieces->core_size) == 0;
}

int rf_bios_boot_check(int fd, uint64_t start, uint64_t size, const char *boot_path, const char *core_path,
                       rf_error **err)
{
    RF_CLEANUP(release) struct pieces pieces = {0};
    if (prepare(&pieces, fd, start, size, boot_path, core_path, err) < 0)
        return -1;
    return memcmp(pieces.before, pieces.sector, RF_SECTOR) == 0 && core_is_there(&pieces, fd, start);
}

int rf_bios_boot_write(int fd, uint64_t start, uint64_t size, const char *boot_path, const char *core_path,
                       rf_error **err)
{
    RF_CLEANUP(release) struct pieces pieces = {0};
    if (prepare(&pieces, fd, start, size, boot_path, core_path, err) < 0)
        return -1;
    if (pwrite(fd, pieces.core, pieces.core_size, (off_t)start) != (ssize_t)pieces.core_size || fsync(fd) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "GRUB's core can't be written");
    if (pwrite(fd, pieces.sector, RF_SECTOR, 0) != RF_SECTOR || fsync(fd) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the boot sector can't be written");
    return 0;
}
