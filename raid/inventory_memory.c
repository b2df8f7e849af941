/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inventory: installed memory. What a machine was sold with is what its DMI table lists; the kernel's MemTotal is less,
 * because firmware, kernel and crash dumps took their part before.
 */
#include "base/file.h"
#include "base/memory.h"
#include "base/units.h"
#include "raid/inventory.h"

#include <string.h>

/* SMBIOS 3.7, 7.18 (Memory Device, type 17): offsets and special values. */
enum {
    DMI_SIZE_AT = 0x0c,
    DMI_EXTENDED_AT = 0x1c,
    DMI_SIZE_UNKNOWN = 0xffff,
    DMI_SIZE_EXTENDED = 0x7fff,
    DMI_SIZE_IN_KB = 0x8000
};

static uint64_t device_size(const unsigned char *raw, size_t length)
{
    if (length < DMI_SIZE_AT + 2)
        return 0;
    unsigned size = raw[DMI_SIZE_AT] | raw[DMI_SIZE_AT + 1] << 8;
    if (size == DMI_SIZE_UNKNOWN)
        return 0;
    if (size == DMI_SIZE_EXTENDED && length >= DMI_EXTENDED_AT + 4) {
        const unsigned char *at = raw + DMI_EXTENDED_AT;
        return ((uint64_t)(at[3] & 0x7f) << 24 | (uint64_t)at[2] << 16 | (uint64_t)at[1] << 8 | at[0]) * RF_MIB;
    }
    return size & DMI_SIZE_IN_KB ? (uint64_t)(size & ~DMI_SIZE_IN_KB) * RF_KIB : size * RF_MIB;
}

static uint64_t memory_by_dmi(const char *sysroot)
{
    uint64_t sum = 0;
    rf_autonames char **entries = rf_sys_names(sysroot, "/sys/firmware/dmi/entries");
    for (char **entry = entries; entry && *entry; entry++) {
        if (strncmp(*entry, "17-", 3) != 0)
            continue;
        rf_autofree char *path = rf_format("%s/sys/firmware/dmi/entries/%s/raw", sysroot, *entry);
        rf_autofree char *raw = NULL;
        size_t size = 0;
        if (rf_read_file(path, 4096, &raw, &size, NULL) == 0)
            sum += device_size((const unsigned char *)raw, size);
    }
    return sum;
}

static uint64_t memory_by_blocks(const char *sysroot)
{
    rf_autofree char *text = rf_sys_text(sysroot, "/sys/devices/system/memory/block_size_bytes");
    uint64_t block = text ? strtoull(text, NULL, 16) : 0, count = 0;
    rf_autonames char **names = rf_sys_names(sysroot, "/sys/devices/system/memory");
    for (char **name = names; name && *name; name++)
        count += strncmp(*name, "memory", 6) == 0;
    return block * count;
}

static uint64_t memory_by_kernel(const char *sysroot)
{
    rf_autofree char *path = rf_format("%s/proc/meminfo", sysroot);
    rf_autofree char *text = NULL;
    if (rf_read_file(path, 64 * RF_KIB, &text, NULL, NULL) < 0)
        return 0;
    const char *line = strstr(text, "MemTotal:");
    return line ? strtoull(line + strlen("MemTotal:"), NULL, 10) * RF_KIB : 0;
}

/* Firmware can be wrong in both directions (virtual machines that copy their host's table, memory given back to the host).
 * A quarter above what the kernel has, or 512 MiB on small machines, is the most that firmware and kernel take. */
static bool believable(uint64_t claimed, uint64_t total)
{
    uint64_t more = total / 4 > 512 * RF_MIB ? total / 4 : 512 * RF_MIB;
    return claimed >= total && claimed <= total + more;
}

void rf_inventory_memory(const char *sysroot, rf_machine *machine)
{
    static const struct {
        const char *name;
        uint64_t (*read)(const char *sysroot);
    } sources[] = {{"dmi", memory_by_dmi}, {"blocks", memory_by_blocks}};
    uint64_t total = memory_by_kernel(sysroot);
    for (size_t i = 0; i < RF_COUNT(sources); i++) {
        uint64_t claimed = sources[i].read(sysroot);
        if (claimed == 0 || !believable(claimed, total))
            continue;
        machine->memory = claimed;
        machine->memory_source = rf_strdup(sources[i].name);
        return;
    }
    machine->memory = total;
    machine->memory_source = rf_strdup("meminfo");
}
