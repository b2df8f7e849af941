/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a person wants to know of a signature before it is wiped, and libblkid does not say. Everything here comes from a disk that
 * may hold anything: each reader takes a few bytes at a known place, checks them, and says nothing where they are not as expected.
 */
#include "base/memory.h"
#include "raid/inventory.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

struct place {
    int fd;
    uint64_t start; /* of the partition or disk, bytes */
    const struct rf_signature *signature;
    const char *version;
};

static bool read_at(const struct place *place, uint64_t offset, void *bytes, size_t size)
{
    return pread(place->fd, bytes, size, (off_t)(place->start + offset)) == (ssize_t)size;
}

static uint32_t number32(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return le32toh(value);
}

static uint64_t number64(const unsigned char *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return le64toh(value);
}

static char *version_of(const struct place *place)
{
    return place->version ? rf_format("version %s", place->version) : NULL;
}

/* md.4 and the kernel's md_p.h: struct mdp_superblock_1 has raid_disks at byte 92; struct mdp_superblock_s (0.90) at word 10. */
static char *array_of(const struct place *place)
{
    enum { DISKS_1 = 92, DISKS_0 = 40 };
    unsigned char bytes[DISKS_1 + 4];
    if (!place->version || !read_at(place, place->signature->offset, bytes, sizeof(bytes)))
        return version_of(place);
    uint32_t disks = number32(bytes + (*place->version == '0' ? DISKS_0 : DISKS_1));
    if (disks == 0 || disks > 384) /* md's own limit (mdadm's MAX_DISKS is higher only for tests) */
        return version_of(place);
    return rf_format("metadata %s, over %" PRIu32 " disk%s", place->version, disks, disks == 1 ? "" : "s");
}

/* The kernel's uapi/linux/btrfs_tree.h: the superblock's magic is at byte 64 of it, num_devices at 136. */
static char *btrfs_of(const struct place *place)
{
    enum { MAGIC = 64, DEVICES = 136 };
    unsigned char bytes[8];
    if (place->signature->offset < MAGIC ||
        !read_at(place, place->signature->offset - MAGIC + DEVICES, bytes, sizeof(bytes)))
        return NULL;
    uint64_t devices = number64(bytes);
    return devices > 1 && devices < 1024 ? rf_format("one of %" PRIu64 " devices", devices) : NULL;
}

/* The kernel's uapi bcache.h: version at byte 16 of the superblock, the magic at 24. */
static char *bcache_of(const struct place *place)
{
    enum { MAGIC = 24, VERSION = 16, CACHE = 0, BACKING = 1, CACHE_UUID = 3, BACKING_OFFSET = 4 };
    unsigned char bytes[8];
    if (place->signature->offset < MAGIC ||
        !read_at(place, place->signature->offset - MAGIC + VERSION, bytes, sizeof(bytes)))
        return NULL;
    uint64_t version = number64(bytes);
    if (version == BACKING || version == BACKING_OFFSET)
        return rf_strdup("what is cached");
    return version == CACHE || version == CACHE_UUID ? rf_strdup("the cache") : NULL;
}

/* LVM2's lib/format_text/layout.h: behind the label ("LABELONE", "LVM2 001" at byte 24 of it) stand the PV's id and size (40 bytes),
 * then data areas and metadata areas, pairs of offset and size, each list ended by a pair of zeros. 0: none. */
static uint64_t first_metadata_area(const struct place *place)
{
    enum { TYPE = 24, HEADER = 20, AREAS = 40, SECTOR = 512, PAIR = 16 };
    unsigned char sector[SECTOR];
    if (place->signature->offset < TYPE || !read_at(place, place->signature->offset - TYPE, sector, sizeof(sector)) ||
        memcmp(sector, "LABELONE", 8) != 0)
        return 0;
    size_t at = number32(sector + HEADER);
    if (at > SECTOR - AREAS)
        return 0;
    for (at += AREAS; at + 2 * PAIR <= SECTOR; at += PAIR)
        if (number64(sector + at) == 0 && number64(sector + at + 8) == 0)
            return number64(sector + at + PAIR);
    return 0;
}

/* The same file: a metadata area has its magic at byte 4, and at 40 where in it the current text begins; the text begins with the
 * group's name (vgcfgbackup(8) shows it). */
static char *group_of(const struct place *place)
{
    enum { MAGIC = 4, TEXT = 40, NAME_MAX_LVM = 127 };
    static const char magic[] = " LVM2 x[5A%r0N*>",
                      letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-";
    unsigned char header[TEXT + 8];
    char text[NAME_MAX_LVM + 2] = "";
    uint64_t area = first_metadata_area(place);
    if (area == 0 || !read_at(place, area, header, sizeof(header)) ||
        memcmp(header + MAGIC, magic, sizeof(magic) - 1) != 0 || number64(header + TEXT) == 0 ||
        !read_at(place, area + number64(header + TEXT), text, sizeof(text) - 1))
        return NULL;
    size_t length = strspn(text, letters);
    return length && text[length] == ' ' ? rf_format("of volume group %.*s", (int)length, text) : NULL;
}

static const struct {
    const char *type;
    char *(*read)(const struct place *place);
} readers[] = {
    {"linux_raid_member", array_of},
    {"crypto_LUKS", version_of},
    {"LVM2_member", group_of},
    {"btrfs", btrfs_of},
    {"bcache", bcache_of},
    {"isw_raid_member", version_of},
    {"ddf_raid_member", version_of},
    {"zfs_member", version_of},
    {"drbd", version_of},
};

char *rf_signature_detail(int fd, uint64_t start, const struct rf_signature *signature, const char *version)
{
    const struct place place = {.fd = fd, .start = start, .signature = signature, .version = version};
    for (size_t i = 0; i < RF_COUNT(readers); i++)
        if (strcmp(readers[i].type, signature->type) == 0)
            return rf_clean_text(readers[i].read(&place));
    return NULL;
}
