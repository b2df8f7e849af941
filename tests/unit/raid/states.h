/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What disks come with: one row for each state, made by real tools where Debian's smallest system has them, and else written down
 * here as their formats say it. All of it on a device of loop.h; none needs a kernel that knows the format.
 */
#pragma once

#include "tests/unit/raid/loop.h"

#include <endian.h>

struct disk_state {
    const char *name;
    void (*make)(const struct fixture *self, int fd); /* fd: the device, open for writing */
    const char *magic; /* bytes that must not be anywhere on the disk when it is cleared; NULL: not checked */
};

static inline void put(int fd, uint64_t offset, const void *bytes, size_t size)
{
    assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), (ssize_t)size);
}

static inline void put_text(int fd, uint64_t offset, const char *text)
{
    put(fd, offset, text, strlen(text));
}

static inline void put32(int fd, uint64_t offset, uint32_t value)
{
    value = htole32(value);
    put(fd, offset, &value, sizeof(value));
}

static inline void put64(int fd, uint64_t offset, uint64_t value)
{
    value = htole64(value);
    put(fd, offset, &value, sizeof(value));
}

static inline uint64_t end_of(int fd)
{
    return (uint64_t)lseek(fd, 0, SEEK_END);
}

static inline void run_tool(const char *const *argv, const char *input)
{
    rf_autorunner rf_runner *real = rf_runner_real();
    rf_autoresult struct rf_result result = {0};
    rf_error *err = NULL;
    const struct rf_command command = {.argv = argv, .input = input, .input_size = input ? strlen(input) : 0};
    if (rf_run(real, &command, &result, &err) < 0) {
        rf_autofree char *why = rf_error_text(err);
        fail_msg("%s", why);
    }
}

static inline void put_table(const struct fixture *self, const char *table)
{
    run_tool(RF_ARGV("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--wipe", "never", self->device), table);
}

/* Partitions from 1 MiB and 1025 MiB on, of 1 GiB each. */
enum { FIRST = 1 << 20, SECOND = 1025 << 20 };

static inline void make_gpt(const struct fixture *self, int fd)
{
    (void)fd;
    put_table(self, "label: gpt\nlabel-id: 0E1D2C3B-1111-4222-8333-444455556666\n"
                    "start=1MiB, size=1GiB, name=boot, uuid=0E1D2C3B-1111-4222-8333-444455550001\n"
                    "start=1025MiB, size=1GiB, name=data, uuid=0E1D2C3B-1111-4222-8333-444455550002\n");
}

/* md.4; md_p.h. `where`: of the superblock. */
static inline void put_md1(int fd, uint64_t region, uint64_t where, uint32_t disks)
{
    put32(fd, region + where, 0xa92b4efc);
    put32(fd, region + where + 4, 1);
    put(fd, region + where + 16, "\x5f\x1c\x2d\x3e\0\0\x4a\x4b\x8c\x8d\0\0\0\0\0\1", 16);
    put_text(fd, region + where + 32, "rescue:0");
    put32(fd, region + where + 72, 1);
    put32(fd, region + where + 92, disks);
    put64(fd, region + where + 128, 2048);
    put64(fd, region + where + 144, where / 512);
}

#define MD_MAGIC "\xfc\x4e\x2b\xa9"

static inline void make_md12(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put_md1(fd, FIRST, 4096, 2);
    put_md1(fd, SECOND, 4096, 3);
}

static inline void make_md10(const struct fixture *self, int fd)
{
    (void)self;
    put_md1(fd, 0, (end_of(fd) / 4096 - 2) * 4096, 2);
}

static inline void make_md090(const struct fixture *self, int fd)
{
    (void)self;
    uint64_t where = (end_of(fd) & ~UINT64_C(0xffff)) - 0x10000;
    put32(fd, where, 0xa92b4efc);
    put32(fd, where + 8, 90);
    put32(fd, where + 20, 0x5f1c2d3e);
    put32(fd, where + 40, 2);
    put32(fd, where + 52, 0x4a4b);
}

static inline void make_imsm(const struct fixture *self, int fd)
{
    uint64_t sector = self->sector;
    put_text(fd, end_of(fd) - 2 * sector, "Intel Raid ISM Cfg Sig. 1.1.00");
}

static inline void make_ddf(const struct fixture *self, int fd)
{
    (void)self;
    uint64_t anchor = end_of(fd) - 512;
    put(fd, anchor, "\xde\x11\xde\x11", 4);
    put_text(fd, anchor + 8, "LSI     1000005210000000");
    put_text(fd, anchor + 32, "01.02.00");
}

/* lib/format_text/layout.h of LVM2: a label, a metadata area, and in it the text that begins with the group's name. */
static inline void put_lvm(int fd, uint64_t region)
{
    put_text(fd, region + 512, "LABELONE");
    put64(fd, region + 520, 1);
    put32(fd, region + 512 + 20, 32);
    put_text(fd, region + 512 + 24, "LVM2 001");
    put_text(fd, region + 544, "Qx1Y2zaaaabbbbccccddddeeeeffffff");
    put64(fd, region + 576, 1 << 30);
    put64(fd, region + 584, 1 << 20); /* data; its size is 0: the rest */
    put64(fd, region + 616, 4096);    /* metadata, behind the pair of zeros */
    put64(fd, region + 624, (1 << 20) - 4096);
    put_text(fd, region + 4096 + 4, " LVM2 x[5A%r0N*>");
    put64(fd, region + 4096 + 40, 1536);
    put_text(fd, region + 4096 + 1536, "pve {\nid = \"x\"\n");
}

static inline void make_lvm(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put_lvm(fd, SECOND);
}

static inline void put_luks(int fd, uint64_t region, char version)
{
    const char header[] = {'L', 'U', 'K', 'S', '\xba', '\xbe', 0, version};
    put(fd, region, header, sizeof(header));
    put_text(fd, region + 168, "7d2f0c1e-2222-4333-8444-555566667777");
}

static inline void make_luks1(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put_luks(fd, FIRST, 1);
}

/* The second header of LUKS2 begins with the magic backwards, where the first one ends: 16 KiB to 4 MiB. */
static inline void make_luks2(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put_luks(fd, SECOND, 2);
    const uint64_t size = htobe64(4 << 20);
    put(fd, SECOND + 8, &size, sizeof(size));
    put(fd, SECOND + (4 << 20), "SKUL\xba\xbe\0\2", 8);
    put(fd, SECOND + (4 << 20) + 8, &size, sizeof(size));
    put(fd, SECOND + (8 << 20), "SKUL\xba\xbe",
        6); /* in the place of the key slots: without them nobody opens it again */
}

/* A pair of an XDR list (lib/libnvpair): sizes, the name, the type, one element. */
static inline uint64_t put_pair(int fd, uint64_t at, const char *name, uint32_t type, const void *value, uint32_t size)
{
    uint32_t padded = ((uint32_t)strlen(name) + 3) & ~3U, whole = 12 + padded + 8 + size;
    const uint32_t head[] = {htobe32(whole), htobe32(whole), htobe32((uint32_t)strlen(name))},
                   kind[] = {htobe32(type), htobe32(1)};
    put(fd, at, head, sizeof(head));
    put_text(fd, at + 12, name);
    put(fd, at + 12 + padded, kind, sizeof(kind));
    put(fd, at + 20 + padded, value, size);
    return at + whole;
}

/* vdev_impl.h of ZFS: 256 KiB each, in them the list at 16 KiB and the uberblocks from 128 KiB on. */
static inline void put_zfs_label(int fd, uint64_t at)
{
    enum { NUMBER = 8, STRING = 9 };
    const uint64_t version = htobe64(5000), guid = htobe64(42), txg = htobe64(7);
    put(fd, at + 16384, "\1\1\0\0\0\0\0\0\0\0\0\1", 12);
    uint64_t next = put_pair(fd, at + 16396, "version", NUMBER, &version, 8);
    next = put_pair(fd, next, "name", STRING, "\0\0\0\4tank", 8);
    next = put_pair(fd, next, "txg", NUMBER, &txg, 8);
    next = put_pair(fd, next, "pool_guid", NUMBER, &guid, 8);
    put_pair(fd, next, "guid", NUMBER, &guid, 8);
    for (uint64_t i = 0; i < 128; i++) {
        put64(fd, at + 131072 + i * 1024, 0x00bab10c);
        put64(fd, at + 131072 + i * 1024 + 8, 5000);
    }
}

#define ZFS_MAGIC "\x0c\xb1\xba\0\0\0\0\0"

static inline void make_zfs(const struct fixture *self, int fd)
{
    (void)self;
    uint64_t size = end_of(fd) & ~UINT64_C(0x3ffff);
    put_zfs_label(fd, 0);
    put_zfs_label(fd, 0x40000);
    put_zfs_label(fd, size - 0x80000);
    put_zfs_label(fd, size - 0x40000);
}

/* Somebody zeroed the first MiB: the last two labels are enough to import the pool. */
static inline void make_zfs_end(const struct fixture *self, int fd)
{
    make_zfs(self, fd);
    rf_autofree char *zeros = rf_alloc(RF_MIB);
    put(fd, 0, zeros, RF_MIB);
}

static inline void make_bcache(const struct fixture *self, int fd)
{
    (void)self;
    put64(fd, 4096 + 8, 8);
    put64(fd, 4096 + 16, 1);
    put(fd, 4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81", 16);
    put(fd, 4096 + 40, "0123456789abcdef", 16);
}

static inline void put_btrfs(int fd, uint64_t at)
{
    put(fd, at + 32, "fedcba9876543210", 16);
    put_text(fd, at + 64, "_BHRfS_M");
    put64(fd, at + 112, 20 * RF_GIB);
    put64(fd, at + 128, 6);
    put64(fd, at + 136, 2);
    put32(fd, at + 144, 4096);
    put32(fd, at + 148, 16384);
    put_text(fd, at + 299, "pool");
}

static inline void make_btrfs(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put_btrfs(fd, SECOND + 65536);
    put_btrfs(fd, SECOND + 64 * RF_MIB);
}

static inline void make_hybrid(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put(fd, 446 + 16, "\0\0\2\0\x07\0\2\0\0\x08\0\0\0\0\x20\0", 16);
}

static inline void make_primary_damaged(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put(fd, self->sector + 40, "\xff", 1);
    put_md1(fd, FIRST, 4096, 2);
}

static inline void make_backup_damaged(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put(fd, end_of(fd) - self->sector + 40, "\xff", 1);
}

/* `dd if=/dev/zero bs=1M count=1`: what people take for a blank disk. */
static inline void make_leftover(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put_lvm(fd, SECOND);
    rf_autofree char *zeros = rf_alloc(RF_MIB);
    put(fd, 0, zeros, RF_MIB);
}

static inline void make_unreadable(const struct fixture *self, int fd)
{
    make_primary_damaged(self, fd);
    put(fd, end_of(fd) - self->sector + 40, "\xff", 1);
}

/* A table that was made where sectors have the other size. */
static inline void make_other_sectors(const struct fixture *self, int fd)
{
    char sector[4096];
    make_gpt(self, fd);
    assert_int_equal(pread(fd, sector, self->sector, self->sector), self->sector);
    char zeros[8192] = {0};
    put(fd, 0, zeros, sizeof(zeros));
    put(fd, end_of(fd) - sizeof(zeros), zeros, sizeof(zeros));
    put(fd, self->sector == 512 ? 4096 : 512, sector, 512);
}

static inline void make_mbr(const struct fixture *self, int fd)
{
    put_table(self,
              "label: dos\nlabel-id: 0x1a2b3c4d\nstart=1MiB, size=1GiB, type=fd\nstart=1025MiB, size=4GiB, type=5\n"
              "start=1026MiB, size=1GiB, type=83\nstart=2051MiB, size=1GiB, type=8e\n");
    put_md1(fd, FIRST, 4096, 2);
    put_lvm(fd, 2051 * RF_MIB);
}

static inline void make_ext4(const struct fixture *self, int fd)
{
    (void)fd;
    run_tool(RF_ARGV("mkfs.ext4", "-q", "-F", "-L", "kunde", "-U", "7d2f0c1e-2222-4333-8444-555566667777", "-E",
                     "lazy_itable_init=1,lazy_journal_init=1,nodiscard", self->device, "1G"),
             NULL);
}

static inline void make_vfat(const struct fixture *self, int fd)
{
    (void)fd;
    run_tool(RF_ARGV("mkfs.vfat", "-I", "-F", "32", "-i", "11112222", "-n", "KUNDE", self->device), NULL);
}

static inline void make_swap(const struct fixture *self, int fd)
{
    (void)fd;
    run_tool(RF_ARGV("mkswap", "-q", "-U", "7d2f0c1e-2222-4333-8444-555566667777", self->device), NULL);
}

static inline void make_xfs(const struct fixture *self, int fd)
{
    (void)fd;
    run_tool(RF_ARGV("mkfs.xfs", "-q", "-f", "-K", "-m", "uuid=7d2f0c1e-2222-4333-8444-555566667777", self->device),
             NULL);
}

/* Boot sector and the first records of the master file table. */
static inline void make_ntfs(const struct fixture *self, int fd)
{
    make_gpt(self, fd);
    put_text(fd, SECOND + 3, "NTFS    ");
    put(fd, SECOND + 11, "\0\2\x08", 3);
    put64(fd, SECOND + 40, RF_GIB / 512 - 1);
    put64(fd, SECOND + 48, 4);
    put64(fd, SECOND + 56, 8);
    put(fd, SECOND + 64, "\xf6", 1);
    put(fd, SECOND + 68, "\1", 1);
    put64(fd, SECOND + 72, UINT64_C(0x4ae81a4de81a3817));
    for (uint64_t i = 0; i < 4; i++)
        put_text(fd, SECOND + 16384 + i * 1024, "FILE");
}

static inline void make_iso(const struct fixture *self, int fd)
{
    make_mbr(self, fd); /* ISO images are bootable from a stick */
    put(fd, 32768, "\1CD001\1", 7);
    put_text(fd, 32768 + 8, "LINUX                           DEBIAN_13");
    put_text(fd, 32768 + 813, "2026010100000000");
    put(fd, 34816,
        "\xff"
        "CD001\1",
        7);
}

static inline void make_drbd(const struct fixture *self, int fd)
{
    (void)self;
    uint64_t at = end_of(fd) - 4096;
    put(fd, at + 40, "\1\2\3\4\5\6\7\10", 8);
    put(fd, at + 60, "\x83\x74\x02\x6b", 4);
}

static inline void make_bluestore(const struct fixture *self, int fd)
{
    (void)self;
    static const uint64_t places[] = {0, RF_GIB, 10 * RF_GIB};
    for (size_t i = 0; i < RF_COUNT(places); i++)
        put_text(fd, places[i], "bluestore block device\n7d2f0c1e-2222-4333-8444-555566667777\n");
}

static inline void make_vmfs(const struct fixture *self, int fd)
{
    (void)self;
    put(fd, 0x100000, "\x0d\xd0\x01\xc0", 4);
}

/* The table of a node's disk, as this program writes it for another node. */
static inline void make_other_node(const struct fixture *self, int fd)
{
    rf_machine machine = {0};
    struct rf_disk disk = {
        .name = (char *)"x", .serial = (char *)"x", .size = end_of(fd), .logical_sector = self->sector};
    const struct rf_disk *chosen[] = {&disk};
    const struct rf_match match = {.chosen = chosen, .chosen_count = 1};
    rf_profile profile = {.node = {.id = (char *)"other-1"}, .storage = {.count = 1, .level = RF_LEVEL_SINGLE}};
    rf_autoproblems rf_problems problems = {0};
    rf_autolayout rf_layout *layout = rf_layout_new(&profile, &match, &problems);
    (void)machine;
    assert_int_equal(rf_partition_write(fd, self->device, &layout->disks[0], NULL), 0);
    put_md1(fd, layout->disks[0].parts[RF_PART_SYSTEM].start, 4096, 1);
}

static const struct disk_state disk_states[] = {
    {"gpt", make_gpt, "EFI PART"},
    {"gpt-hybrid", make_hybrid, "EFI PART"},
    {"gpt-primary-damaged", make_primary_damaged, "EFI PART"},
    {"gpt-backup-damaged", make_backup_damaged, "EFI PART"},
    {"gpt-backup-only", make_leftover, "EFI PART"},
    {"gpt-both-damaged", make_unreadable, "EFI PART"},
    {"gpt-other-sectors", make_other_sectors, "EFI PART"},
    {"mbr-logical", make_mbr, MD_MAGIC},
    {"md-1.2-two-arrays", make_md12, MD_MAGIC},
    {"md-1.0", make_md10, MD_MAGIC},
    {"md-0.90", make_md090, MD_MAGIC},
    {"imsm", make_imsm, "Intel Raid ISM"},
    {"ddf", make_ddf, "\xde\x11\xde\x11"},
    {"lvm", make_lvm, "LABELONE"},
    {"luks1", make_luks1, "LUKS\xba\xbe"},
    {"luks2", make_luks2, "SKUL\xba\xbe"},
    {"zfs", make_zfs, NULL},
    {"zfs-end-labels", make_zfs_end, NULL},
    {"bcache", make_bcache, "\xc6\x85\x73\xf6"},
    {"btrfs-two-devices", make_btrfs, "_BHRfS_M"},
    {"ext4", make_ext4, NULL},
    {"xfs", make_xfs, NULL}, /* each group has its own superblock, which nobody goes by */
    {"vfat", make_vfat, "FAT32   "},
    {"ntfs", make_ntfs, "NTFS    "},
    {"swap", make_swap, "SWAPSPACE2"},
    {"iso", make_iso, "CD001"},
    {"drbd", make_drbd, "\x83\x74\x02\x6b"},
    {"bluestore", make_bluestore, "bluestore block device"},
    {"vmfs", make_vmfs, "\x0d\xd0\x01\xc0"},
    {"other-node", make_other_node, "EFI PART"},
};
