/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What will stand on the disks: partitions, arrays, volumes and file systems, with every name and UUID derived from the
 * node's id. Pure: the same profile and machine give the same layout, byte for byte.
 *
 *   every disk      1  bios    1 MiB     GRUB for BIOS
 *                   2  esp     512 MiB   FAT32, one per disk, never mirrored by md
 *                   3  system  32 GiB    md RAID1 over all members → btrfs: subvolumes roots and state
 *                   4  data    the rest  md at the profile's level → LVM volume group → volume images → XFS
 *
 * A spare disk carries the same: its partitions are spares of both arrays, so one disk takes a lost one's place in both, and its
 * boot loaders are there already when it does. Which disk is the spare is md's business from then on.
 */
#pragma once

#include "base/ident.h"
#include "raid/match.h"

/* Everything is aligned to this, as fdisk(8) and the firmware's flash blocks like it. */
#define RF_LAYOUT_ALIGN (UINT64_C(1) << 20)

#define RF_LAYOUT_BIOS (UINT64_C(1) << 20)
#define RF_LAYOUT_ESP (UINT64_C(512) << 20)

/* The system takes 32 GiB, or half of a disk under 64 GiB, but never less than 8 GiB: two roots (the running one and the
 * next) with room for logs. */
#define RF_LAYOUT_SYSTEM (UINT64_C(32) << 30)
#define RF_LAYOUT_SYSTEM_MIN (UINT64_C(8) << 30)
#define RF_LAYOUT_DATA_MIN (UINT64_C(2) << 30)

/* Left free at the end of each disk: another maker's disk "of the same size", or the provider's next volume, may be some
 * sectors smaller and still has to fit as a replacement. The backup GPT lies in it too. */
#define RF_LAYOUT_TAIL (UINT64_C(64) << 20)

/* A disk that is larger than what is used of it is said where it is by so much: less is what two makers' "same size" differ by. */
#define RF_LAYOUT_WORTH_SAYING (UINT64_C(1) << 30)

/* Share of the volume group that the images get at first; the rest is for replicated volumes and snapshots. XFS grows
 * while mounted and never shrinks, so the cautious way is to start with less. */
#define RF_LAYOUT_IMAGES_PERCENT 80

/* UEFI 2.10, table 5.7; GNU GRUB manual, "BIOS installation"; systemd's Discoverable Partitions. Lower case. */
#define RF_TYPE_BIOS "21686148-6449-6e6f-744e-656564454649"
#define RF_TYPE_ESP "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
#define RF_TYPE_RAID "a19d880f-05fc-4d3b-a006-743f0f84911e"

/* Where arrays appear, under their own names; the system's. */
#define RF_ARRAY_DIR "/dev/md/"
#define RF_SYSTEM_DEVICE RF_ARRAY_DIR "system"

enum rf_part { RF_PART_BIOS, RF_PART_ESP, RF_PART_SYSTEM, RF_PART_DATA, RF_PARTS };

struct rf_layout_part {
    const char *name;      /* GPT name: "rf-system" */
    const char *type_uuid; /* GPT type GUID */
    unsigned number;
    uint64_t start, size; /* bytes */
    char uuid[RF_UUID_TEXT];
    char *device; /* "/dev/disk/by-partuuid/…" */
};

struct rf_consent; /* raid/consent.h */

struct rf_layout_disk {
    const char *node_id; /* borrowed from the layout */
    unsigned member;     /* from 1: which disk of the node; stays with the disk */
    char *name;          /* kernel name when it was recorded: for people */
    char *serial, *wwn, *by_path, *model;
    uint64_t size;
    unsigned logical_sector, physical_sector; /* bytes; RF_LAYOUT_ALIGN is a multiple of both */
    uint64_t
        unused;     /* bytes behind its last partition, besides RF_LAYOUT_TAIL: there because another disk is smaller */
    bool committed; /* rf_disk_committed: an installation of this node was finished on it */
    char table_uuid[RF_UUID_TEXT];
    struct rf_layout_part parts[RF_PARTS];
    struct rf_consent
        *consent; /* what lies on it may be destroyed; NULL: nothing but this node's own is ever written over */
};

struct rf_layout_array {
    const char *name; /* "system", "data" */
    char *device;     /* "/dev/md/system" */
    char uuid[RF_UUID_TEXT];
    enum rf_level level;
    enum rf_copies copies; /* of RAID10 */
    unsigned
        raid_disks; /* members that it is made for: fewer than members_count with spares, more where one is missing */
    char **members; /* partitions by PARTUUID, in the order of the disks: those that are there */
    size_t members_count;
    bool committed[RF_MEMBERS_MAX];     /* by member: its disk is; what it held is never written over */
    uint64_t size;                      /* of one member */
    const struct rf_layout_disk *disks; /* all of the layout, borrowed: a member's disk is known by its own identity */
    size_t disks_count;
};

/* How many of its partitions are not needed, and how many it begins without. */
static inline unsigned rf_array_spares(const struct rf_layout_array *array)
{
    return array->members_count > array->raid_disks ? (unsigned)array->members_count - array->raid_disks : 0;
}

static inline unsigned rf_array_missing(const struct rf_layout_array *array)
{
    return array->members_count < array->raid_disks ? array->raid_disks - (unsigned)array->members_count : 0;
}

struct rf_layout_volume {
    char *group; /* "rf_1a2b3c4d": not the same on any two nodes, so that disks of one never collide in another */
    const char *name;
    char *physical; /* the data array's device */
    char *device;   /* "/dev/GROUP/NAME" */
    bool committed; /* a disk of the node is: group and volume are never made anew */
};

struct rf_layout_filesystem {
    char *id;                          /* "esp-1", "system", "images": unique */
    const char *type;                  /* libblkid's TYPE: "vfat", "btrfs", "xfs" */
    char *device;                      /* what it is made on */
    char uuid[RF_UUID_TEXT];           /* as libblkid shows it; vfat: "1A2B-3C4D" */
    char *label;                       /* set last: a file system of ours that has one is complete */
    bool committed;                    /* its disk is (ESP), or any disk of the node: it is never made anew */
    const struct rf_layout_disk *disk; /* whose ESP it is, borrowed from the layout; else NULL */
};

typedef struct rf_layout {
    char *node_id;
    struct rf_layout_disk *disks; /* by member number */
    size_t disks_count;
    struct rf_layout_array system, data;
    struct rf_layout_volume images;
    struct rf_layout_filesystem *filesystems; /* the ESPs in member order, then system, then images */
    size_t filesystems_count;
} rf_layout;

/* The subvolumes of the system's btrfs, NULL-terminated: "roots" (each root is a subvolume in it) and "state". */
extern const char *const rf_layout_subvolumes[];

/* From chosen disks. A disk that is already member n of this node stays n, others take the free numbers in the order of
 * their identity. Where a member is already partitioned, its sizes are kept. NULL where it can't be made: `problems` then
 * holds why (disks too small, or with sectors that nothing can be aligned to). */
rf_layout *rf_layout_new(const rf_profile *profile, const struct rf_match *match, rf_problems *problems);

void rf_layout_free(rf_layout *layout);
RF_GUARD(rf_layout, rf_layout_free);
#define rf_autolayout RF_CLEANUP(rf_guard_rf_layout)

/* By its id; NULL where there is none. The installer's fstab and boot entries take UUIDs from here. */
const struct rf_layout_filesystem *rf_layout_filesystem(const rf_layout *layout, const char *id);

/* Is it this node's disk, and marked as bootable (raid/bootable.h)? The mark is set last, so whatever its arrays, volumes and
 * file systems have lost since then was the node's data, and not the rest of an interrupted run. Pure. */
bool rf_disk_committed(const char *node_id, const struct rf_disk *disk);

/* Does the disk carry exactly this table already? */
bool rf_layout_disk_done(const struct rf_layout_disk *layout, const struct rf_disk *disk);

/* The layout as text for people and for tests. The caller frees it. */
char *rf_layout_text(const rf_layout *layout);
