/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/fallen.h"

#include "base/memory.h"
#include "raid/inventory.h"
#include "raid/match.h"

#include <string.h>

#define DEVICE "dev-" /* md/dev-sda4 (the kernel's Documentation/admin-guide/md.rst) */

/* "system" for md127, by the node's own name for it. */
static char *given_name(const char *sysroot, const char *array)
{
    rf_autonames char **names = rf_sys_names(sysroot, "/dev/md");
    for (char **name = names; name && *name; name++) {
        rf_autofree char *target = rf_sys_link(sysroot, "/dev/md/%s", *name);
        if (target && strcmp(target, array) == 0)
            return rf_strdup(*name);
    }
    return rf_strdup(array);
}

/* The disk that a partition is on: sda for sda4, nvme0n1 for nvme0n1p4. */
static const struct rf_disk *disk_of(const rf_machine *machine, const char *partition)
{
    for (size_t i = 0; i < machine->disks_count; i++) {
        size_t length = strlen(machine->disks[i].name);
        const char *rest = partition + length;
        if (strncmp(machine->disks[i].name, partition, length) == 0 && strspn(rest, "p0123456789") == strlen(rest))
            return &machine->disks[i];
    }
    return NULL;
}

static void add_member(char **text, const char *array, const char *partition, const rf_machine *machine)
{
    const struct rf_disk *disk = disk_of(machine, partition);
    rf_autofree char *label = disk ? rf_disk_label(disk) : NULL;
    rf_append(text, "%sarray %s goes on without %s%s%s%s, which failed while it was written to; replace that disk",
              *text ? "\n" : "", array, partition, label ? " (" : "", label ? label : "", label ? ")" : "");
}

static void add_array(char **text, const char *sysroot, const char *array, const rf_machine *machine)
{
    rf_autofree char *name = given_name(sysroot, array);
    rf_autonames char **entries = rf_sys_names(sysroot, "/sys/block/%s/md", array);
    for (char **entry = entries; entry && *entry; entry++) {
        if (strncmp(*entry, DEVICE, strlen(DEVICE)) != 0)
            continue;
        rf_autofree char *state = rf_sys_text(sysroot, "/sys/block/%s/md/%s/state", array, *entry);
        if (state && strstr(state, "faulty"))
            add_member(text, name, *entry + strlen(DEVICE), machine);
    }
}

char *rf_fallen_text(const char *sysroot, const rf_machine *machine)
{
    char *text = NULL;
    rf_autonames char **names = rf_sys_names(sysroot, "/sys/block");
    for (char **name = names; name && *name; name++)
        if (strncmp(*name, "md", 2) == 0)
            add_array(&text, sysroot, *name, machine);
    return text;
}

/* "sda4, sdb4": the members that are there. */
static char *members_text(const char *sysroot, const char *array)
{
    char *text = NULL;
    rf_autonames char **entries = rf_sys_names(sysroot, "/sys/block/%s/md", array);
    for (char **entry = entries; entry && *entry; entry++)
        if (strncmp(*entry, DEVICE, strlen(DEVICE)) == 0)
            rf_append(&text, "%s%s", text ? ", " : "", *entry + strlen(DEVICE));
    return text ? text : rf_strdup("none");
}

char *rf_stopped_text(const char *sysroot)
{
    char *text = NULL;
    rf_autonames char **names = rf_sys_names(sysroot, "/sys/block");
    for (char **name = names; name && *name; name++) {
        rf_autofree char *state = rf_sys_text(sysroot, "/sys/block/%s/md/array_state", *name);
        if (!state || (strcmp(state, "inactive") != 0 && strcmp(state, "broken") != 0))
            continue;
        rf_autofree char *given = given_name(sysroot, *name), *members = members_text(sysroot, *name);
        rf_append(&text,
                  "%sarray %s does not run: too few of its members are there (%s); what it holds can't be reached",
                  text ? "\n" : "", given, members);
    }
    return text;
}
