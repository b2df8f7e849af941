/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inventory: where we run, who made the machine, its firmware and its processors. */
#include "base/file.h"
#include "base/memory.h"
#include "base/paths.h"
#include "raid/inventory.h"

#include <string.h>
#include <strings.h>

/* What boards say where nobody filled the field in. */
static const char *const placeholders[] = {
    "to be filled by o.e.m.", "default string", "not specified",       "not available", "none", "n/a",
    "system product name",    "0123456789",     "system manufacturer", "o.e.m.",        "oem",  "system serial number",
};

static char *dmi_text(const char *sysroot, const char *field)
{
    rf_autofree char *text = rf_sys_text(sysroot, "/sys/class/dmi/id/%s", field);
    for (size_t i = 0; text && i < RF_COUNT(placeholders); i++)
        if (strcasecmp(text, placeholders[i]) == 0)
            return NULL;
    return RF_STEAL(text);
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length)
        if ((at == text || strchr(" \t\n", at[-1])) && strchr(" \t\n=", at[length]))
            return true;
    return false;
}

static enum rf_environment environment_of(const char *sysroot)
{
    rf_autofree char *arguments = rf_sys_text(sysroot, "/proc/cmdline");
    if ((arguments && has_word(arguments, "rd.live.image")) || rf_sys_exists(sysroot, RF_MEDIUM_DIR))
        return RF_ENV_LIVE;
    return rf_sys_exists(sysroot, RF_STATE_PROFILE) ? RF_ENV_NODE : RF_ENV_OTHER;
}

/* UEFI 2.10, 3.3: SecureBoot is one byte; efivarfs puts four bytes of attributes in front. */
static bool secure_boot_of(const char *sysroot)
{
    rf_autofree char *path =
        rf_format("%s/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", sysroot);
    rf_autofree char *value = NULL;
    size_t size = 0;
    return rf_read_file(path, 64, &value, &size, NULL) == 0 && size == 5 && value[4] == 1;
}

/* Online processors as /sys lists them: "0-3,6". */
static unsigned count_ranges(const char *text)
{
    unsigned count = 0;
    while (*text) {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text)
            break;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (last >= first && last < 1U << 16)
            count += (unsigned)(last - first + 1);
        text = *end == ',' ? end + 1 : end;
    }
    return count;
}

void rf_inventory_system(const char *sysroot, rf_machine *machine)
{
    machine->environment = environment_of(sysroot);
    machine->dmi_vendor = dmi_text(sysroot, "sys_vendor");
    machine->dmi_product = dmi_text(sysroot, "product_name");
    machine->dmi_serial = dmi_text(sysroot, "product_serial");
    machine->dmi_uuid = dmi_text(sysroot, "product_uuid");
    machine->firmware = rf_strdup(rf_sys_exists(sysroot, "/sys/firmware/efi") ? "uefi" : "bios");
    machine->secure_boot = secure_boot_of(sysroot);
    rf_autofree char *online = rf_sys_text(sysroot, "/sys/devices/system/cpu/online");
    machine->cores = online ? count_ranges(online) : 0;
    if (machine->cores == 0 && !*sysroot)
        machine->cores = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
}
