/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inventory: can this machine run guests by KVM. */
#include "base/kvm.h"
#include "raid/inventory.h"

void rf_inventory_kvm(const char *sysroot, rf_machine *machine)
{
    machine->kvm_reason = rf_kvm_problem(sysroot);
    machine->kvm = !machine->kvm_reason;
}
