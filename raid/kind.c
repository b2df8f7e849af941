/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "raid/kind.h"

#include "base/file.h"
#include "base/memory.h"
#include "raid/holder.h"
#include "raid/inventory.h"
#include "raid/layout.h"

#include <inttypes.h>
#include <string.h>

#define MIB(number) (UINT64_C(number) << 20)
#define GIB(number) (UINT64_C(number) << 30)

/* The kernel remembers every device that btrfs has seen, and would offer this one, or what is left of it, to a file system with the
 * same UUID (btrfs-device(8), scan --forget). One that it does not remember is an error of that command and none of ours;
 * one that is mounted is not chosen, and is busy when it is opened for writing. */
static int forget_btrfs(struct rf_step_env *env, const char *device, const struct rf_signature *signature,
                        rf_error **err)
{
    (void)signature;
    rf_autoresult struct rf_result result = {0};
    const struct rf_command command = {.argv = RF_ARGV("btrfs", "device", "scan", "--forget", device)};
    return rf_run_status(env->runner, &command, &result, err);
}

/* A cache, or a device that is to be cached and waits for its cache, is held without anything that is built on it. */
static int unregister_bcache(struct rf_step_env *env, const char *device, const struct rf_signature *signature,
                             rf_error **err)
{
    (void)env;
    (void)signature;
    const char *slash = strrchr(device, '/');
    return rf_holder_unregister("", slash ? slash + 1 : device, err);
}

/* There is no zpool in this system, and a pool that is exported behind its module's back is damaged. */
static int refuse_pool(struct rf_step_env *env, const char *device, const struct rf_signature *signature,
                       rf_error **err)
{
    (void)env;
    rf_autofree char *path = rf_format("/proc/spl/kstat/zfs/%s", signature->label ? signature->label : ".");
    if (!signature->label || !rf_exists(path))
        return 0;
    return rf_fail(err, RF_BAD_MACHINE,
                   "%s belongs to the ZFS pool %s, which is imported here: `zpool export %s`, and start again", device,
                   signature->label, signature->label);
}

/*
 * DDF: two headers and a workspace lie in front of the anchor, within the last 32 MiB (SNIA DDF 2.0, 4.2).
 * LUKS: both headers of LUKS2 lie in the first 8 MiB, all key slots in the first 16 (cryptsetup(8), luksFormat).
 * btrfs: superblock copies at 64 MiB and 256 GiB (btrfs(5)); libblkid looks at the first one only, recovery takes any.
 * BlueStore since Ceph 19: copies of its label at 1, 10, 100 and 1000 GiB. bcachefs: one in its last 2 MiB. VMFS: at 1 MiB.
 */
const struct rf_kind rf_kinds[] = {
    /* partition tables */
    {.type = "gpt", .title = "GPT partition table"},
    {.type = "dos", .title = "MBR partition table"},
    {.type = "PMBR", .title = "protective MBR of a GPT"},
    {.type = RF_TABLE_HYBRID, .title = "hybrid MBR: partitions beside those of the GPT"},
    {.type = RF_TABLE_LEFTOVER, .title = "GPT that is left over (without its protective MBR)"},
    {.type = RF_TABLE_PRIMARY, .title = "its GPT is read from the backup: the primary one is damaged"},
    {.type = RF_TABLE_BACKUP, .title = "the GPT's backup at the disk's end is damaged or missing"},
    {.type = RF_TABLE_UNREADABLE, .title = "GPT that can't be read: damaged, or of a disk with other sectors"},
    {.type = "mac", .title = "Apple partition map"},
    {.type = "bsd", .title = "BSD disklabel"},
    {.type = "sun", .title = "Sun disklabel"},
    {.type = "sgi", .title = "SGI disklabel"},
    {.type = "atari", .title = "Atari partition table"},
    /* members of arrays and groups */
    {.type = "linux_raid_member", .title = "member of a Linux RAID"},
    {.type = "isw_raid_member", .title = "member of an Intel firmware RAID (IMSM)"},
    {.type = "ddf_raid_member", .title = "member of a firmware RAID (DDF)", .tail = MIB(33)},
    {.type = "lsi_mega_raid_member", .title = "member of an LSI firmware RAID"},
    {.type = "adaptec_raid_member", .title = "member of an Adaptec firmware RAID"},
    {.type = "promise_fasttrack_raid_member", .title = "member of a Promise firmware RAID"},
    {.type = "hpt37x_raid_member", .title = "member of a HighPoint firmware RAID"},
    {.type = "hpt45x_raid_member", .title = "member of a HighPoint firmware RAID"},
    {.type = "jmicron_raid_member", .title = "member of a JMicron firmware RAID"},
    {.type = "nvidia_raid_member", .title = "member of an NVIDIA firmware RAID"},
    {.type = "silicon_medley_raid_member", .title = "member of a Silicon Image firmware RAID"},
    {.type = "via_raid_member", .title = "member of a VIA firmware RAID"},
    {.type = "LVM2_member", .title = "LVM physical volume"},
    {.type = "LVM1_member", .title = "LVM physical volume (LVM 1)"},
    {.type = "DM_snapshot_cow", .title = "store of a device-mapper snapshot"},
    {.type = "zfs_member", .title = "ZFS", .release = refuse_pool},
    {.type = "bcache", .title = "bcache", .release = unregister_bcache},
    {.type = "drbd", .title = "DRBD replica"},
    {.type = "drbdmanage_control_volume", .title = "DRBD control volume"},
    {.type = "ceph_bluestore", .title = "Ceph OSD (BlueStore)", .spots = {GIB(1), GIB(10), GIB(100), GIB(1000)}},
    {.type = "VMFS", .title = "VMware datastore", .head = MIB(4)},
    {.type = "VMFS_volume_member", .title = "extent of a VMware datastore", .head = MIB(4)},
    {.type = "stratis", .title = "Stratis pool", .head = MIB(8)},
    {.type = "vdo", .title = "VDO volume"},
    {.type = "oracleasm", .title = "Oracle ASM disk"},
    /* encryption */
    {.type = "crypto_LUKS", .title = "LUKS encryption", .head = MIB(16)},
    {.type = "BitLocker", .title = "BitLocker encryption"},
    {.type = "cs_fvault2", .title = "FileVault encryption"},
    /* file systems */
    {.type = "btrfs", .title = "btrfs file system", .release = forget_btrfs, .spots = {MIB(64), GIB(256)}},
    {.type = "bcachefs", .title = "bcachefs file system", .tail = MIB(4)},
    {.type = "ext2", .title = "ext2 file system"},
    {.type = "ext3", .title = "ext3 file system"},
    {.type = "ext4", .title = "ext4 file system"},
    {.type = "ext4dev", .title = "ext4 file system"},
    {.type = "jbd", .title = "ext journal on a device of its own"},
    {.type = "xfs", .title = "xfs file system"},
    {.type = "xfs_external_log", .title = "xfs log on a device of its own"},
    {.type = "ntfs", .title = "ntfs file system (Windows)"},
    {.type = "ReFS", .title = "ReFS file system (Windows)"},
    {.type = "vfat", .title = "vfat file system"},
    {.type = "exfat", .title = "exfat file system"},
    {.type = "hfs", .title = "hfs file system (Apple)"},
    {.type = "hfsplus", .title = "hfsplus file system (Apple)"},
    {.type = "apfs", .title = "apfs container (Apple)"},
    {.type = "f2fs", .title = "f2fs file system"},
    {.type = "jfs", .title = "jfs file system"},
    {.type = "nilfs2", .title = "nilfs2 file system"},
    {.type = "reiserfs", .title = "reiserfs file system"},
    {.type = "gfs2", .title = "gfs2 cluster file system"},
    {.type = "ocfs2", .title = "ocfs2 cluster file system"},
    {.type = "ufs", .title = "ufs file system (BSD)"},
    {.type = "iso9660", .title = "ISO image (iso9660)"},
    {.type = "udf", .title = "udf file system"},
    {.type = "squashfs", .title = "squashfs image"},
    {.type = "erofs", .title = "erofs image"},
    /* memory */
    {.type = "swap", .title = "swap space"},
    {.type = "swsuspend", .title = "swap space with a suspended system in it"},
};

const size_t rf_kinds_count = RF_COUNT(rf_kinds);

const struct rf_kind *rf_kind_of(const char *type)
{
    static const struct rf_kind unknown = {.type = "", .title = ""};
    for (size_t i = 0; i < RF_COUNT(rf_kinds); i++)
        if (strcmp(rf_kinds[i].type, type) == 0)
            return &rf_kinds[i];
    return &unknown;
}

/* The type stays readable for who searches for it, and is not said twice. */
char *rf_kind_text(const struct rf_signature *signature)
{
    const char *title = rf_kind_of(signature->type)->title;
    char *text = rf_strdup(title);
    if (!*title)
        rf_append(&text, "%s%s", signature->type,
                  strcmp(signature->usage, "partition-table") ? "" : " partition table");
    else if (!strstr(title, signature->type) &&
             !strchr(signature->type, '-')) /* RF_TABLE_*: nobody searches for those */
        rf_append(&text, " (%s)", signature->type);
    if (signature->detail)
        rf_append(&text, ", %s", signature->detail);
    if (signature->label)
        rf_append(&text, ", \"%s\"", signature->label);
    if (signature->uuid)
        rf_append(&text, ", UUID %s", signature->uuid);
    rf_append(&text, ", at byte %" PRIu64, signature->offset);
    return text;
}

/* The node's id can't be known from its disks: all that is on them derives from it, and nothing leads back. */
const char *rf_kind_node(const struct rf_disk *disk)
{
    static const char *const names[] = {"rf-bios", "rf-esp", "rf-system", "rf-data"};
    size_t found = 0;
    for (size_t i = 0; i < disk->partitions_count; i++)
        for (size_t j = 0; j < RF_COUNT(names); j++)
            found += disk->partitions[i].name && strcmp(disk->partitions[i].name, names[j]) == 0;
    return found >= RF_COUNT(names) ? "a disk of a Richtfest node that is not this one" : NULL;
}
