/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/superblock.h"

#include "base/memory.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* struct mdp_superblock_1 of the kernel's include/uapi/linux/raid/md_p.h, little endian: bytes from its start. */
enum {
    MD_VERSION = 4,
    MD_LEVEL = 72,
    MD_LAYOUT = 76,
    MD_RAID_DISKS = 92,
    MD_HEAD = 96,
    MD_DEV_NUMBER = 160,
    MD_MAX_DEV = 220,
    MD_DEV_ROLES = 256
};

/* A superblock of metadata 1.2 begins here, and is as large as its list of roles may become. */
enum { MD_AT = 4096, MD_SIZE = 4096, MD_DEVICES_MAX = (MD_SIZE - MD_DEV_ROLES) / 2 };

/* struct xfs_dsb of the kernel's fs/xfs/libxfs/xfs_format.h, big endian. */
enum { XFS_BLOCK_SIZE = 4, XFS_BLOCKS = 8, XFS_HEAD = 16 };

static uint32_t le32(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

/* md(4), "RAID10": the low byte counts near copies, the next one far copies, and bit 16 makes those "offset". */
static char *raid10_layout(uint32_t layout)
{
    unsigned near = layout & 0xff, far = layout >> 8 & 0xff;
    if (far <= 1)
        return rf_format("n%u", near);
    return rf_format("%s%u", layout & 1U << 16 ? "o" : "f", far);
}

static void fill_md(const unsigned char *head, struct rf_signature *signature)
{
    if (le32(head + MD_VERSION) != 1)
        return; /* 0.90 is laid out otherwise, and never ours */
    int32_t level = (int32_t)le32(head + MD_LEVEL);
    free(signature->level);
    free(signature->layout);
    signature->level = level < 0 ? rf_strdup("linear") : rf_format("raid%d", level);
    signature->layout = level == 10 ? raid10_layout(le32(head + MD_LAYOUT)) : NULL;
    signature->members = le32(head + MD_RAID_DISKS);
}

static void fill_xfs(const unsigned char *head, struct rf_signature *signature)
{
    uint32_t block;
    uint64_t blocks, size;
    memcpy(&block, head + XFS_BLOCK_SIZE, sizeof(block));
    memcpy(&blocks, head + XFS_BLOCKS, sizeof(blocks));
    if (!__builtin_mul_overflow(be64toh(blocks), (uint64_t)be32toh(block), &size) && size <= INT64_MAX)
        signature->size = size;
}

void rf_superblock_fill(int fd, uint64_t base, struct rf_signature *signature)
{
    static const struct {
        const char *type;
        size_t size;
        void (*fill)(const unsigned char *head, struct rf_signature *signature);
    } kinds[] = {{"linux_raid_member", MD_HEAD, fill_md}, {"xfs", XFS_HEAD, fill_xfs}};
    unsigned char head[MD_HEAD];
    for (size_t i = 0; i < RF_COUNT(kinds); i++)
        if (strcmp(signature->type, kinds[i].type) == 0 &&
            pread(fd, head, kinds[i].size, (off_t)(base + signature->offset)) == (ssize_t)kinds[i].size)
            kinds[i].fill(head, signature);
}

static int read_md(const char *path, unsigned char block[MD_SIZE], rf_error **err)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) /* md writes past the page cache (raid/disk_probe.c) */
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (fd < 0 || pread(fd, block, MD_SIZE, MD_AT) != MD_SIZE)
        return rf_fail_errno(err, RF_FAILED, errno, "the superblock on %s can't be read", path);
    return 0;
}

/* A role is the member's place in the array; md_p.h gives those above all places to spares and to what has failed. */
int rf_superblock_counts(const char *member, const char *running, bool *ret_counts, rf_error **err)
{
    unsigned char asked[MD_SIZE], other[MD_SIZE];
    if (read_md(member, asked, err) < 0 || read_md(running, other, err) < 0)
        return -1;
    const uint32_t number = le32(other + MD_DEV_NUMBER), most = le32(asked + MD_MAX_DEV);
    uint16_t role = UINT16_MAX;
    if (number < most && number < MD_DEVICES_MAX)
        memcpy(&role, asked + MD_DEV_ROLES + 2 * number, sizeof(role));
    *ret_counts = le16toh(role) < le32(asked + MD_RAID_DISKS);
    return 0;
}
