/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What stands on a disk, by libblkid's low-level probing: never from its cache, never from udev's view of an earlier
 * moment. Nothing is written. All signatures are listed, as wipefs(8) does, not only the one that would win.
 */
#include "base/memory.h"
#include "base/units.h"
#include "raid/inventory.h"
#include "raid/superblock.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

enum { SIGNATURES_MAX = 64, SECTOR = 512 /* libblkid's unit for partitions */ };

static void guard_probe(blkid_probe *probe)
{
    blkid_free_probe(*probe);
}
#define autoprobe RF_CLEANUP(guard_probe)

static char *value_of(blkid_probe probe, const char *name)
{
    const char *value = NULL;
    size_t length = 0;
    if (blkid_probe_lookup_value(probe, name, &value, &length) < 0 || length == 0)
        return NULL;
    return rf_clean_text(rf_format("%.*s", (int)length, value));
}

static uint64_t number_of(blkid_probe probe, const char *name)
{
    rf_autofree char *text = value_of(probe, name);
    return text ? strtoull(text, NULL, 10) : 0;
}

/* Adds the result of one probing function: a superblock, or a partition table. */
static void add_signature(blkid_probe probe, struct rf_signature **list, size_t *count)
{
    bool table = blkid_probe_has_value(probe, "PTTYPE") && !blkid_probe_has_value(probe, "TYPE");
    char *type = value_of(probe, table ? "PTTYPE" : "TYPE");
    if (!type)
        return;
    struct rf_signature *signature = rf_array_add(list, count, sizeof(*signature));
    signature->type = type;
    signature->usage = table ? rf_strdup("partition-table") : value_of(probe, "USAGE");
    signature->uuid = value_of(probe, table ? "PTUUID" : "UUID");
    signature->label = table ? NULL : value_of(probe, "LABEL");
    signature->offset = number_of(probe, table ? "PTMAGIC_OFFSET" : "SBMAGIC_OFFSET");
    if (!signature->usage)
        signature->usage = rf_strdup("other");
    rf_autofree char *version = value_of(probe, "VERSION");
    signature->detail =
        rf_signature_detail(blkid_probe_get_fd(probe), (uint64_t)blkid_probe_get_offset(probe), signature, version);
}

static int by_offset(const void *left, const void *right)
{
    const struct rf_signature *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return strcmp(a->type, b->type);
}

/* md and XFS write their superblocks past the device's page cache, and what was read there before stays in it for as long as the device
 * is in use: a disk that has become a member would look blank, an array that has grown as it was. Clean pages are dropped, all of them,
 * because a range spares the pages that it only touches (posix_fadvise(2)). Seen with a grown XFS: 45 s later the plain read was still the
 * old one. */
static void read_afresh(int fd)
{
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

int rf_signatures_probe(int fd, uint64_t offset, uint64_t size, struct rf_signature **ret_signatures, size_t *ret_count,
                        rf_error **err)
{
    autoprobe blkid_probe probe = blkid_new_probe();
    if (!probe || blkid_probe_set_device(probe, fd, (blkid_loff_t)offset, (blkid_loff_t)size) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the device can't be probed");
    read_afresh(fd);
    blkid_probe_enable_superblocks(probe, 1);
    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_UUID |
                                                 BLKID_SUBLKS_LABEL | BLKID_SUBLKS_VERSION | BLKID_SUBLKS_MAGIC |
                                                 BLKID_SUBLKS_BADCSUM);
    blkid_probe_enable_partitions(probe, 1);
    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC);
    struct rf_signature *list = NULL;
    size_t count = 0;
    int status;
    while ((status = blkid_do_probe(probe)) == 0 && count < SIGNATURES_MAX)
        add_signature(probe, &list, &count);
    if (status < 0) {
        rf_signatures_free(list, count);
        return rf_fail_errno(err, RF_FAILED, errno ? errno : EIO, "the device can't be read");
    }
    for (size_t i = 0; i < count; i++)
        rf_superblock_fill(fd, offset, &list[i]);
    if (count)
        qsort(list, count, sizeof(*list), by_offset);
    *ret_signatures = list;
    *ret_count = count;
    return 0;
}

/* libblkid takes an unreadable sector for an empty one; a device that fails must not look blank. */
static int readable(int fd, uint64_t size, rf_error **err)
{
    enum { PIECE = 1 << 20 };
    rf_autofree char *piece = rf_alloc(PIECE);
    size_t length = size < PIECE ? size : PIECE;
    errno = 0;
    if (pread(fd, piece, length, 0) != (ssize_t)length)
        return rf_fail_errno(err, RF_FAILED, errno ? errno : EIO, "its first MiB can't be read");
    if (pread(fd, piece, length, (off_t)(size - length)) != (ssize_t)length)
        return rf_fail_errno(err, RF_FAILED, errno ? errno : EIO, "its last MiB can't be read");
    return 0;
}

int rf_signatures_of(const char *path, struct rf_signature **ret_signatures, size_t *ret_count, rf_error **err)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *ret_signatures = NULL;
        *ret_count = 0;
        return 0;
    }
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be opened", path);
    off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the size of %s can't be asked", path);
    if (readable(fd, (uint64_t)size, err) < 0 || rf_signatures_probe(fd, 0, 0, ret_signatures, ret_count, err) < 0)
        return rf_wrap(err, "%s", path);
    return 0;
}

const struct rf_signature *rf_signature_find(const struct rf_signature *signatures, size_t count, const char *type)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(signatures[i].type, type) == 0)
            return &signatures[i];
    return NULL;
}

static char *lower(const char *text)
{
    char *copy = rf_strdup(text);
    for (char *at = copy; at && *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at += 'a' - 'A';
    return copy;
}

static int add_partition(int fd, blkid_partition from, struct rf_disk *disk, rf_error **err)
{
    struct rf_partition *part = rf_array_add(&disk->partitions, &disk->partitions_count, sizeof(*part));
    part->number = (unsigned)blkid_partition_get_partno(from);
    part->start = (uint64_t)blkid_partition_get_start(from) * SECTOR;
    part->size = (uint64_t)blkid_partition_get_size(from) * SECTOR;
    const char *type = blkid_partition_get_type_string(from);
    part->type_uuid = type ? lower(type) : rf_format("0x%02x", (unsigned)blkid_partition_get_type(from));
    part->uuid = lower(blkid_partition_get_uuid(from));
    part->attributes = type ? (uint64_t)blkid_partition_get_flags(from) & INT64_MAX : 0;
    part->name = rf_clean_text(rf_strdup(blkid_partition_get_name(from)));
    bool inside = part->size && part->start < disk->size && part->size <= disk->size - part->start;
    if (blkid_partition_is_extended(from) || !inside)
        return 0; /* a container, or a table that was made for a larger disk */
    if (rf_signatures_probe(fd, part->start, part->size, &part->signatures, &part->signatures_count, err) < 0)
        return rf_wrap(err, "partition %u", part->number);
    return 0;
}

/* `leftover`: also a table that nobody goes by (raid/disk_table.c); it is no table of this disk, but what it names is named. */
static int read_table(int fd, struct rf_disk *disk, bool leftover, rf_error **err)
{
    autoprobe blkid_probe probe = blkid_new_probe();
    if (!probe || blkid_probe_set_device(probe, fd, 0, (blkid_loff_t)disk->size) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "the device can't be probed");
    blkid_probe_enable_partitions(probe, 1);
    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS | (leftover ? BLKID_PARTS_FORCE_GPT : 0));
    blkid_partlist list = blkid_probe_get_partitions(probe);
    blkid_parttable table = list ? blkid_partlist_get_table(list) : NULL;
    if (!table)
        return 0;
    if (!leftover && strcmp(blkid_parttable_get_type(table), "gpt") == 0)
        disk->table_uuid = lower(blkid_parttable_get_id(table));
    for (int i = 0; i < blkid_partlist_numof_partitions(list); i++)
        if (add_partition(fd, blkid_partlist_get_partition(list, i), disk, err) < 0)
            return -1;
    return 0;
}

int rf_disk_probe(int fd, struct rf_disk *disk, rf_error **err)
{
    if (readable(fd, disk->size, err) < 0)
        return -1;
    if (rf_signatures_probe(fd, 0, disk->size, &disk->signatures, &disk->signatures_count, err) < 0)
        return -1;
    rf_table_look(fd, disk);
    bool leftover = rf_signature_find(disk->signatures, disk->signatures_count, RF_TABLE_LEFTOVER) != NULL;
    return read_table(fd, disk, leftover, err);
}
