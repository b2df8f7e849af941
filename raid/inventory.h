/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of the inventory, one file each. They read below `sysroot` ("" on a real machine) and fill their members of
 * the machine; what a machine does not have stays NULL or 0 and is no error.
 */
#pragma once

#include "raid/machine.h"

/* What rf_disk.in_use begins with. */
#define RF_USE_MEDIUM "install medium"
#define RF_USE_MOUNTED "mounted at "
#define RF_USE_SWAP "swap"
#define RF_USE_ATTACHED "attached to " /* a loop device is set up over it */
#define RF_USE_POOL "ZFS pool "        /* that is imported */
#define RF_USE_HOLDER "holder "
#define RF_USE_UNREADABLE "unreadable: "

/* One attribute below sysroot, cleaned (rf_clean_text); NULL where it can't be read or is empty. The caller frees it. */
char *rf_sys_text(const char *sysroot, const char *format, ...) RF_PRINTF(2, 3);

/* A whole number (decimal, or hexadecimal with 0x); `fallback` where there is none. */
uint64_t rf_sys_number(const char *sysroot, uint64_t fallback, const char *format, ...) RF_PRINTF(3, 4);

/* Is there such a path below sysroot (a dangling link is not)? */
bool rf_sys_exists(const char *sysroot, const char *format, ...) RF_PRINTF(2, 3);

/* The last part of a symbolic link's target, or NULL. The caller frees it. */
char *rf_sys_link(const char *sysroot, const char *format, ...) RF_PRINTF(2, 3);

/* The names in a directory, sorted (strverscmp(3): sda2 before sda10), without "." and ".."; NULL-terminated, NULL where
 * there is no directory. Freed by rf_names_free. */
char **rf_sys_names(const char *sysroot, const char *format, ...) RF_PRINTF(2, 3);
void rf_names_free(char **names);

static inline void rf_guard_names(char ***names)
{
    rf_names_free(*names);
}
#define rf_autonames RF_CLEANUP(rf_guard_names)

/* Trims, and puts "?" for whatever a terminal or a JSON reader could stumble over: serials come from hardware. Takes the
 * text over; NULL for an empty one. */
char *rf_clean_text(char *text);

/* The parts, one file each. They can't fail: what can't be read is not in the machine. */
void rf_inventory_system(const char *sysroot, rf_machine *machine); /* environment, DMI ids, firmware, processors */
void rf_inventory_memory(const char *sysroot, rf_machine *machine);
void rf_inventory_kvm(const char *sysroot, rf_machine *machine);
void rf_inventory_disks(const char *sysroot, rf_machine *machine);
void rf_inventory_volumes(const char *sysroot, rf_machine *machine);
void rf_volumes_clear(rf_machine *machine); /* leaves a machine without volumes, to look again */
void rf_inventory_nics(const char *sysroot, rf_machine *machine);

/* Is it a whole disk that could hold an installation, by its kernel name? loop, ram, md and the like are not. */
bool rf_disk_is_whole(const char *name);

/* What sysfs and udev tell of the disk `name` without opening it: identity, size, sectors, transport. Used by the
 * inventory and, right before writing, to make sure that it is still the same disk. Fills an empty `disk`. */
void rf_disk_identify(const char *sysroot, const char *name, struct rf_disk *ret_disk);

/* Who uses the disk or one of its partitions (the caller frees it), or NULL. */
char *rf_disk_usage(const char *sysroot, const char *name);

/* Reads signatures, table and partitions of an open disk into `disk`, whose size is known. -1 where it can't be read. */
int rf_disk_probe(int fd, struct rf_disk *disk, rf_error **err);

/* What libblkid does not tell of a signature in the region that begins at `start` of the open device: an LVM volume group's name,
 * over how many devices a btrfs is, the version of LUKS. For people, in words; NULL: nothing. Reads a few sectors; what does not
 * look as it should is left out. `version` is libblkid's, or NULL. The caller frees it. */
char *rf_signature_detail(int fd, uint64_t start, const struct rf_signature *signature, const char *version);

/* Partition tables that libblkid shows as whole, or not at all: their types among a disk's signatures, all of usage "partition-table".
 * Leftover: a valid GPT without the protective MBR by which firmware, kernel and libblkid go (UEFI 2.10, 5.2.3), so that the disk
 * looks blank although a tool would find all of it again. Damaged: it says that it is a GPT and is none. */
#define RF_TABLE_HYBRID "hybrid-mbr"
#define RF_TABLE_LEFTOVER "gpt-leftover"
#define RF_TABLE_PRIMARY "gpt-primary-damaged"
#define RF_TABLE_BACKUP "gpt-backup-damaged"
#define RF_TABLE_UNREADABLE "gpt-unreadable"

/* Adds those to the disk's signatures, which libblkid has filled. Reads three sectors. */
void rf_table_look(int fd, struct rf_disk *disk);

/* All signatures in a range of a device. `ret_signatures` is to be freed by rf_signatures_free. */
int rf_signatures_probe(int fd, uint64_t offset, uint64_t size, struct rf_signature **ret_signatures, size_t *ret_count,
                        rf_error **err);

/* The signatures of a whole device or image by its path; a path that does not exist holds none. */
int rf_signatures_of(const char *path, struct rf_signature **ret_signatures, size_t *ret_count, rf_error **err);

/* NULL where none is of that type. */
const struct rf_signature *rf_signature_find(const struct rf_signature *signatures, size_t count, const char *type);

/* Free what they hold; rf_disk_clear leaves an empty disk. */
void rf_signatures_free(struct rf_signature *signatures, size_t count);
void rf_disk_clear(struct rf_disk *disk);
#define rf_autodisk RF_CLEANUP(rf_disk_clear)
