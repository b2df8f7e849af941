/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inventory of this machine, part by part. */
#include "base/memory.h"
#include "raid/inventory.h"

int rf_machine_probe(const char *sysroot, rf_machine **ret_machine, rf_error **err)
{
    static void (*const parts[])(const char *sysroot, rf_machine *machine) = {
        rf_inventory_system, rf_inventory_memory,  rf_inventory_kvm,
        rf_inventory_disks,  rf_inventory_volumes, rf_inventory_nics,
    };
    if (!rf_sys_exists(sysroot, "/sys/block") || !rf_sys_exists(sysroot, "/proc"))
        return rf_fail(err, RF_FAILED, "%s/sys or %s/proc is missing: mount sysfs and procfs", sysroot, sysroot);
    rf_machine *machine = rf_alloc(sizeof(*machine));
    for (size_t i = 0; i < RF_COUNT(parts); i++)
        parts[i](sysroot, machine);
    *ret_machine = machine;
    return 0;
}
