/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a table by libfdisk, which can set the disk's and the partitions' GUIDs (libparted can't). */
#include "base/memory.h"
#include "raid/steps.h"

#include <errno.h>
#include <libfdisk/libfdisk.h>

static void guard_context(struct fdisk_context **context)
{
    fdisk_unref_context(*context);
}

static void guard_table(struct fdisk_table **table)
{
    fdisk_unref_table(*table);
}

static void guard_partition(struct fdisk_partition **partition)
{
    fdisk_unref_partition(*partition);
}

static void guard_type(struct fdisk_parttype **type)
{
    fdisk_unref_parttype(*type);
}

#define autocontext RF_CLEANUP(guard_context)
#define autotable RF_CLEANUP(guard_table)
#define autopartition RF_CLEANUP(guard_partition)
#define autotype RF_CLEANUP(guard_type)

/* libfdisk returns negative errno values. */
static int failed(rf_error **err, int status, const char *what)
{
    return rf_fail_errno(err, RF_FAILED, status < 0 ? -status : EIO, "%s", what);
}

static int fill(struct fdisk_partition *partition, const struct rf_layout_part *part, struct fdisk_parttype *type,
                unsigned long sector)
{
    int status = fdisk_partition_set_partno(partition, part->number - 1);
    if (status == 0)
        status = fdisk_partition_set_start(partition, part->start / sector);
    if (status == 0)
        status = fdisk_partition_set_size(partition, part->size / sector);
    if (status == 0)
        status = fdisk_partition_size_explicit(partition, 1); /* exactly this: already aligned */
    if (status == 0)
        status = fdisk_partition_set_name(partition, part->name);
    if (status == 0)
        status = fdisk_partition_set_uuid(partition, part->uuid);
    if (status == 0)
        status = fdisk_partition_set_type(partition, type);
    return status;
}

static int add(struct fdisk_context *context, const struct rf_layout_part *part, rf_error **err)
{
    autopartition struct fdisk_partition *partition = fdisk_new_partition();
    autotype struct fdisk_parttype *type =
        fdisk_label_get_parttype_from_string(fdisk_get_label(context, NULL), part->type_uuid);
    if (!partition || !type)
        return failed(err, -ENOMEM, part->name);
    fdisk_parttype_set_typestr(type, part->type_uuid);
    int status = fill(partition, part, type, fdisk_get_sector_size(context));
    if (status == 0)
        status = fdisk_add_partition(context, partition, NULL);
    if (status == 0)
        status = fdisk_wipe_partition(context, part->number - 1, 1);
    return status < 0 ? failed(err, status, part->name) : 0;
}

static int make_label(struct fdisk_context *context, const struct rf_layout_disk *layout, rf_error **err)
{
    int status = fdisk_create_disklabel(context, "gpt");
    if (status == 0)
        status = fdisk_set_disklabel_id_from_string(context, layout->table_uuid);
    if (status < 0)
        return failed(err, status, "the table can't be made");
    for (enum rf_part i = 0; i < RF_PARTS; i++)
        if (add(context, &layout->parts[i], err) < 0)
            return -1;
    return 0;
}

static int write_through(struct fdisk_context *context, struct fdisk_table *before, rf_error **err)
{
    int status = fdisk_write_disklabel(context);
    if (status < 0)
        return failed(err, status, "the table can't be written");
    /* Tells the kernel each change (BLKPG): a full re-read would be refused where anything holds one partition. */
    status = fdisk_reread_changes(context, before);
    return status < 0 ? failed(err, status, "the kernel does not take the new table") : 0;
}

static int write_table(struct fdisk_context *context, const struct rf_layout_disk *layout, rf_error **err)
{
    autotable struct fdisk_table *before = NULL;
    if (fdisk_has_label(context))
        fdisk_get_partitions(context, &before);
    if (!before)
        before = fdisk_new_table();
    if (make_label(context, layout, err) < 0)
        return -1;
    return write_through(context, before, err);
}

int rf_partition_write(int fd, const char *path, const struct rf_layout_disk *layout, rf_error **err)
{
    autocontext struct fdisk_context *context = fdisk_new_context();
    if (!context)
        return failed(err, -ENOMEM, path);
    fdisk_disable_dialogs(context, 1);
    int status = fdisk_assign_device_by_fd(context, fd, path, 0);
    if (status < 0)
        return failed(err, status, path);
    status = write_table(context, layout, err);
    int closed = fdisk_deassign_device(context, 0); /* fsync included; the descriptor stays ours */
    if (status == 0 && closed < 0)
        return failed(err, closed, path);
    return status < 0 ? rf_wrap(err, "%s", path) : 0;
}
