/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Partition tables that are not as they should be. libblkid goes by a GPT only where a protective MBR says so, takes the backup in
 * silence where the primary is damaged, and does not look at the MBR beside it. A person who is asked to give a disk up should hear
 * of all that; and a disk that somebody "emptied" by zeros over its first MiB is not blank.
 */
#include "base/memory.h"
#include "raid/inventory.h"

#include <endian.h>
#include <string.h>

/* UEFI 2.10, 5.3.2: offsets in the header; its CRC is made with its own field zero. */
enum { HEADER_SIZE = 12, HEADER_CRC = 16, HEADER_OWN = 24, HEADER_GUID = 56, HEADER_LEAST = 92, SECTOR_MAX = 4096 };

/* 5.2.1: four entries of 16 bytes from 446 on, their type in the fifth byte; 55 aa at 510. */
enum { MBR_ENTRIES = 446, MBR_ENTRY = 16, MBR_TYPE = 4, MBR_MAGIC = 510, MBR_PROTECTIVE = 0xee, MBR_SIZE = 512 };

enum header { NONE, WRONG, GOOD };

static uint32_t crc32_of(const unsigned char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0); /* IEEE 802.3, as UEFI 2.10, 5.3.2 asks for */
    }
    return ~crc;
}

static uint32_t number32(const unsigned char *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return le32toh(value);
}

/* The header at sector `number`; its disk GUID, as libblkid writes it, where it is good. */
static enum header header_at(int fd, unsigned sector, uint64_t number, char **ret_guid)
{
    unsigned char bytes[SECTOR_MAX];
    uint64_t own;
    if (sector > SECTOR_MAX || pread(fd, bytes, sector, (off_t)(number * sector)) != (ssize_t)sector ||
        memcmp(bytes, "EFI PART", 8) != 0)
        return NONE;
    uint32_t size = number32(bytes + HEADER_SIZE), crc = number32(bytes + HEADER_CRC);
    memcpy(&own, bytes + HEADER_OWN, sizeof(own));
    memset(bytes + HEADER_CRC, 0, 4);
    if (size < HEADER_LEAST || size > sector || le64toh(own) != number || crc32_of(bytes, size) != crc)
        return WRONG;
    const unsigned char *guid =
        bytes + HEADER_GUID; /* the first three parts are little-endian: UEFI 2.10, appendix A */
    if (!*ret_guid)
        *ret_guid =
            rf_format("%08x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", number32(guid), guid[5], guid[4],
                      guid[7], guid[6], guid[8], guid[9], guid[10], guid[11], guid[12], guid[13], guid[14], guid[15]);
    return GOOD;
}

static void add(struct rf_disk *disk, const char *type, const char *uuid, uint64_t offset)
{
    struct rf_signature *signature = rf_array_add(&disk->signatures, &disk->signatures_count, sizeof(*signature));
    *signature = (struct rf_signature){
        .type = rf_strdup(type), .usage = rf_strdup("partition-table"), .uuid = rf_strdup(uuid), .offset = offset};
}

/* A protective MBR that describes partitions besides: some firmware and other systems go by those. */
static bool is_hybrid(int fd)
{
    unsigned char mbr[MBR_SIZE];
    if (pread(fd, mbr, sizeof(mbr), 0) != MBR_SIZE || mbr[MBR_MAGIC] != 0x55 || mbr[MBR_MAGIC + 1] != 0xaa)
        return false;
    bool protective = false, other = false;
    for (int i = 0; i < 4; i++) {
        unsigned char type = mbr[MBR_ENTRIES + i * MBR_ENTRY + MBR_TYPE];
        protective |= type == MBR_PROTECTIVE;
        other |= type != 0 && type != MBR_PROTECTIVE;
    }
    return protective && other;
}

/* Headers at the places of both sector sizes: a table made on a disk of the other size is not seen by anyone here, and comes back
 * in the next machine. */
static void look_unseen(int fd, struct rf_disk *disk)
{
    static const unsigned sectors[] = {512, 4096};
    for (size_t i = 0; i < RF_COUNT(sectors) && disk->size >= 2 * SECTOR_MAX; i++) {
        const uint64_t places[] = {1, disk->size / sectors[i] - 1};
        for (size_t j = 0; j < RF_COUNT(places); j++) {
            rf_autofree char *guid = NULL;
            enum header found = header_at(fd, sectors[i], places[j], &guid);
            bool native = sectors[i] == disk->logical_sector;
            if (found == NONE)
                continue;
            add(disk, found == GOOD && native ? RF_TABLE_LEFTOVER : RF_TABLE_UNREADABLE, guid, places[j] * sectors[i]);
            return;
        }
    }
}

static void look_seen(int fd, struct rf_disk *disk)
{
    rf_autofree char *guid = NULL;
    unsigned sector = disk->logical_sector ? disk->logical_sector : 512;
    uint64_t last = disk->size / sector - 1;
    if (header_at(fd, sector, 1, &guid) != GOOD)
        add(disk, RF_TABLE_PRIMARY, NULL, sector);
    if (header_at(fd, sector, last, &guid) != GOOD)
        add(disk, RF_TABLE_BACKUP, NULL, last * sector);
    if (is_hybrid(fd))
        add(disk, RF_TABLE_HYBRID, NULL, MBR_MAGIC);
}

void rf_table_look(int fd, struct rf_disk *disk)
{
    if (rf_signature_find(disk->signatures, disk->signatures_count, "gpt"))
        look_seen(fd, disk);
    else
        look_unseen(fd, disk);
}
