/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/wipe.h"

#include "base/memory.h"
#include "raid/kind.h"
#include "raid/steps.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

enum { PIECE = 1 << 20, SIGNATURES_MAX = 256 };

struct wiper {
    int fd;
    unsigned left; /* writes */
    const char *zeros;
};

struct region {
    uint64_t start, size;
    const struct rf_signature *signatures;
    size_t count;
};

static int zero_piece(struct wiper *wiper, uint64_t offset, size_t size, rf_error **err)
{
    if (wiper->left == 0)
        return 0;
    wiper->left--;
    ssize_t done = pwrite(wiper->fd, wiper->zeros, size, (off_t)offset);
    if (done == (ssize_t)size)
        return 0;
    return rf_fail_errno(err, RF_FAILED, done < 0 ? errno : EIO, "byte %llu can't be overwritten",
                         (unsigned long long)offset);
}

/* From the last piece to the first: what lies there is known by its first bytes, and has to be known until all of it is gone. */
static int zero_head(struct wiper *wiper, uint64_t start, uint64_t size, rf_error **err)
{
    while (size > 0) {
        uint64_t at = (size - 1) / PIECE * PIECE;
        if (zero_piece(wiper, start + at, size - at, err) < 0)
            return -1;
        size = at;
    }
    return 0;
}

/* From the first to the last, for the same reason: anchors lie at the very end. */
static int zero_tail(struct wiper *wiper, uint64_t end, uint64_t size, rf_error **err)
{
    for (; size > 0; size -= size < PIECE ? size : PIECE)
        if (zero_piece(wiper, end - size, size < PIECE ? size : PIECE, err) < 0)
            return -1;
    return 0;
}

static uint64_t larger(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

/* How much at the ends, by what lies there; never more than there is. */
static void ends_of(const struct region *region, uint64_t *ret_head, uint64_t *ret_tail)
{
    uint64_t head = RF_WIPE_ENDS, tail = RF_WIPE_ENDS;
    for (size_t i = 0; i < region->count; i++) {
        const struct rf_kind *kind = rf_kind_of(region->signatures[i].type);
        head = larger(head, kind->head);
        tail = larger(tail, kind->tail);
    }
    *ret_head = head < region->size ? head : region->size;
    *ret_tail = tail < region->size ? tail : region->size;
}

static int zero_spots(struct wiper *wiper, const struct region *region, rf_error **err)
{
    for (size_t i = 0; i < region->count; i++) {
        const struct rf_kind *kind = rf_kind_of(region->signatures[i].type);
        for (size_t j = 0; j < RF_WIPE_SPOTS && kind->spots[j]; j++)
            if (kind->spots[j] + RF_WIPE_SPOT <= region->size &&
                zero_piece(wiper, region->start + kind->spots[j], RF_WIPE_SPOT, err) < 0)
                return -1;
    }
    return 0;
}

static void guard_probe(blkid_probe *probe)
{
    blkid_free_probe(*probe);
}

/* What no row knows of: the magic of everything that libblkid finds, and finds anew behind it, until it finds nothing. Writing
 * through libblkid, because it knows where each magic stands. */
static int wipe_known(struct wiper *wiper, const struct region *region, rf_error **err)
{
    RF_CLEANUP(guard_probe) blkid_probe probe = blkid_new_probe();
    if (!probe || blkid_probe_set_device(probe, wiper->fd, (blkid_loff_t)region->start, (blkid_loff_t)region->size) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "it can't be probed");
    blkid_probe_enable_superblocks(probe, 1);
    blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_TYPE | BLKID_SUBLKS_BADCSUM);
    blkid_probe_enable_partitions(probe, 1);
    blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT);
    for (int i = 0; wiper->left && blkid_do_probe(probe) == 0; i++) {
        if (i == SIGNATURES_MAX)
            return rf_fail(err, RF_FAILED,
                           "something on it comes back each time that it is overwritten: is the disk broken?");
        wiper->left--;
        if (blkid_do_wipe(probe, 0) < 0)
            return rf_fail_errno(err, RF_FAILED, errno ? errno : EIO, "a signature can't be overwritten");
        blkid_probe_step_back(probe);
    }
    return 0;
}

static int wipe_region(struct wiper *wiper, const struct region *region, rf_error **err)
{
    uint64_t head, tail;
    ends_of(region, &head, &tail);
    if (zero_tail(wiper, region->start + region->size, tail, err) < 0 || zero_spots(wiper, region, err) < 0 ||
        zero_head(wiper, region->start, head, err) < 0 || wipe_known(wiper, region, err) < 0)
        return -1;
    return fsync(wiper->fd) < 0 ? rf_fail_errno(err, RF_FAILED, errno, "it can't be flushed") : 0;
}

/* As much of the partition as lies on the disk: a table may have been made for a larger one. */
static struct region region_of(const struct rf_partition *partition, uint64_t disk)
{
    uint64_t start = partition->start < disk ? partition->start : disk;
    uint64_t size = partition->size < disk - start ? partition->size : disk - start;
    return (struct region){start, size, partition->signatures, partition->signatures_count};
}

static int wipe_all(struct wiper *wiper, const struct rf_disk *disk, rf_error **err)
{
    for (size_t i = disk->partitions_count; i > 0; i--) {
        const struct region region = region_of(&disk->partitions[i - 1], disk->size);
        if (region.size && wipe_region(wiper, &region, err) < 0)
            return rf_wrap(err, "partition %u", disk->partitions[i - 1].number);
    }
    const struct region whole = {0, disk->size, disk->signatures, disk->signatures_count};
    return wipe_region(wiper, &whole, err);
}

int rf_wipe_disk(const struct rf_consent *consent, int fd, const struct rf_disk *disk, unsigned writes, rf_error **err)
{
    if (!rf_layout_disk_is(rf_consent_disk(consent), disk))
        return rf_fail(err, RF_FAILED, "%s is not the disk that the consent is about; it was not written", disk->path);
    rf_autofree char *zeros = rf_alloc(PIECE);
    struct wiper wiper = {.fd = fd, .left = writes, .zeros = zeros};
    return wipe_all(&wiper, disk, err) < 0 ? rf_wrap(err, "clearing %s", disk->path) : 0;
}
