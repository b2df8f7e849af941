/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine: what is there. Recorded as JSON by `richtfest inventory` and read back by `plan --machine`; the planner
 * sees nothing else. Kernel names are kept for people only: a disk is known by its identity.
 */
#pragma once

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

#define RF_MACHINE_FORMAT 1
#define RF_MACHINE_MAX (4U << 20) /* bytes of a recorded machine */
#define RF_MACHINE_LIST_MAX 1024  /* entries of one list in it: disks, partitions, signatures, … */
#define RF_MACHINE_TEXT_MAX 1024  /* bytes of one text in it */

enum rf_environment {
    RF_ENV_OTHER, /* a workstation, a rescue system */
    RF_ENV_LIVE,  /* our live system */
    RF_ENV_NODE,  /* an installed node */
};

struct rf_signature {
    char *type;      /* libblkid's TYPE or PTTYPE: "ext4", "linux_raid_member", "gpt" */
    char *usage;     /* "filesystem", "raid", "crypto", "other", "partition-table" */
    char *uuid;      /* UUID (md: of the array), or NULL */
    char *label;     /* or NULL */
    char *detail;    /* what else is worth saying to a person ("version 2", "one of 3 devices"), or NULL */
    uint64_t offset; /* of the magic, bytes from the device's start */
    /* What the superblock itself says besides (raid/superblock.h); NULL and 0 where it does not, or was not asked. */
    char *level;      /* md: of the array: "raid1" */
    char *layout;     /* md, RAID10: "n2", "f2", "o2" */
    unsigned members; /* md: how many the array is made for, spares not counted */
    uint64_t size;    /* XFS: bytes that the file system fills */
};

struct rf_partition {
    unsigned number;
    uint64_t start, size; /* bytes */
    char *type_uuid;      /* GPT type GUID or MBR type "0x83"; lower case */
    char *uuid;           /* PARTUUID, lower case, or NULL */
    char *name;           /* GPT name, or NULL */
    uint64_t attributes;  /* GPT attribute bits 0 to 62 (UEFI 2.10, table 5.8); bit 63 says nothing that matters here */
    struct rf_signature *signatures;
    size_t signatures_count;
};

struct rf_disk {
    char *name;                             /* kernel name now ("sda"): for people */
    char *path;                             /* "/dev/sda" */
    char *by_path;                          /* stable bus path ("pci-0000:00:05.0-scsi-0:0:0:0"), or NULL */
    char *serial, *wwn, *model, *transport; /* NULL: the disk has none */
    uint64_t size;                          /* bytes */
    unsigned logical_sector, physical_sector;
    enum { RF_ROTATIONAL_UNKNOWN, RF_ROTATIONAL_NO, RF_ROTATIONAL_YES } rotational;
    bool read_only, removable;
    /* Who uses it: "install medium", "mounted at /x", "swap", "holder md127", "unreadable: …"; NULL: free. The words of
     * raid/inventory.h. A disk that is ours may be in use and chosen all the same: nothing done is done again. */
    char *in_use;
    char *table_uuid;                /* GPT disk GUID, or NULL */
    struct rf_signature *signatures; /* on the whole disk, the table included */
    size_t signatures_count;
    struct rf_partition *partitions;
    size_t partitions_count;
};

/* A running block device that is built on disks: an md array, a device-mapper target, … What is inside it can't be
 * seen on the disks. An array that is held but does not run has size 0. */
struct rf_volume {
    char *name;  /* kernel name now ("md127", "dm-0"): for people */
    char *kind;  /* "md", "dm", "bcache", "drbd" */
    char *uuid;  /* md: of the array, as libblkid writes it; dm: /sys/block/dm-N/dm/uuid; or NULL */
    char *map;   /* dm: the mapping's name ("vg-lv"); else NULL */
    char *on;    /* kernel names of what it is built on now, blanks between ("sda2 sdb2", "md127"), or NULL */
    char *state; /* md: array_state of sysfs, and how many members it lacks ("clean, 1 missing"); else NULL */
    uint64_t size;
    struct rf_signature *signatures;
    size_t signatures_count;
};

struct rf_nic {
    char *name, *mac, *driver;
    bool carrier;
    unsigned speed; /* Mbit/s; 0: unknown */
};

typedef struct rf_machine {
    enum rf_environment environment;
    char *dmi_vendor, *dmi_product, *dmi_serial, *dmi_uuid; /* or NULL */
    char *firmware;                                         /* "uefi" or "bios" */
    bool secure_boot;
    unsigned cores; /* online logical processors */
    uint64_t
        memory; /* bytes, installed as far as the firmware tells (DMI type 17, else memory blocks, else MemTotal) */
    char *memory_source; /* which of the three it was: "dmi", "blocks", "meminfo" (raid/fit.h says what that changes) */
    bool kvm;
    char *kvm_reason; /* where kvm is false: what is missing and what to do; else NULL */
    struct rf_disk *disks;
    size_t disks_count;
    struct rf_volume *volumes;
    size_t volumes_count;
    struct rf_nic *nics;
    size_t nics_count;
    json_t *node; /* facts of an installed node for postinstall's planner (postinstall/facts.h), or NULL */
} rf_machine;

/* Reads this machine from /sys, /proc, /dev and by libblkid; opens disks read-only and writes nothing. `sysroot` is ""
 * or, in tests, a recorded tree, of which no device is opened. A disk that can't be read is in the list and says so.
 * Blocks for as long as slow disks take. RICHTFEST_LOOP=1 in the environment counts loop devices as disks (tests; the
 * serial is then the backing file's name). The caller frees the machine. */
int rf_machine_probe(const char *sysroot, rf_machine **ret_machine, rf_error **err);

/* JSON to machine and back: what is read back and printed again is the same text. A document with unknown keys, wrong
 * types, or too long texts or lists is rejected (RF_BAD_MACHINE) with the path of the key ("disks[1].partitions[0].size"). */
int rf_machine_from_json(const json_t *json, rf_machine **ret_machine, rf_error **err);
json_t *rf_machine_to_json(const rf_machine *machine);
int rf_machine_load(const char *path, rf_machine **ret_machine, rf_error **err);

void rf_machine_free(rf_machine *machine);
RF_GUARD(rf_machine, rf_machine_free);
#define rf_automachine RF_CLEANUP(rf_guard_rf_machine)
