/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine description's memory. */
#include "raid/machine.h"

#include "raid/inventory.h"

void rf_signatures_free(struct rf_signature *signatures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(signatures[i].type);
        free(signatures[i].usage);
        free(signatures[i].uuid);
        free(signatures[i].label);
        free(signatures[i].level);
        free(signatures[i].layout);
        free(signatures[i].detail);
    }
    free(signatures);
}

static void partition_clear(struct rf_partition *partition)
{
    free(partition->type_uuid);
    free(partition->uuid);
    free(partition->name);
    rf_signatures_free(partition->signatures, partition->signatures_count);
}

void rf_disk_clear(struct rf_disk *disk)
{
    free(disk->name);
    free(disk->path);
    free(disk->by_path);
    free(disk->serial);
    free(disk->wwn);
    free(disk->model);
    free(disk->transport);
    free(disk->in_use);
    free(disk->table_uuid);
    rf_signatures_free(disk->signatures, disk->signatures_count);
    for (size_t i = 0; i < disk->partitions_count; i++)
        partition_clear(&disk->partitions[i]);
    free(disk->partitions);
    *disk = (struct rf_disk){0};
}

static void volume_clear(struct rf_volume *volume)
{
    free(volume->name);
    free(volume->kind);
    free(volume->uuid);
    free(volume->map);
    free(volume->on);
    free(volume->state);
    rf_signatures_free(volume->signatures, volume->signatures_count);
}

void rf_volumes_clear(rf_machine *machine)
{
    for (size_t i = 0; i < machine->volumes_count; i++)
        volume_clear(&machine->volumes[i]);
    free(machine->volumes);
    machine->volumes = NULL;
    machine->volumes_count = 0;
}

static void nic_clear(struct rf_nic *nic)
{
    free(nic->name);
    free(nic->mac);
    free(nic->driver);
}

static void lists_free(rf_machine *machine)
{
    for (size_t i = 0; i < machine->disks_count; i++)
        rf_disk_clear(&machine->disks[i]);
    rf_volumes_clear(machine);
    for (size_t i = 0; i < machine->nics_count; i++)
        nic_clear(&machine->nics[i]);
    free(machine->disks);
    free(machine->nics);
}

void rf_machine_free(rf_machine *machine)
{
    if (!machine)
        return;
    lists_free(machine);
    free(machine->dmi_vendor);
    free(machine->dmi_product);
    free(machine->dmi_serial);
    free(machine->dmi_uuid);
    free(machine->firmware);
    free(machine->memory_source);
    free(machine->kvm_reason);
    json_decref(machine->node);
    free(machine);
}
