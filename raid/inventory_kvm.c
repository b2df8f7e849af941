/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inventory: can this machine run guests by KVM, and if not, why not and what to do about it. */
#include "base/file.h"
#include "base/memory.h"
#include "raid/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

static const struct {
    const char *flag, *module;
} vendors[] = {{"svm", "kvm_amd"}, {"vmx", "kvm_intel"}};

static bool line_has_flag(const char *line, const char *flag)
{
    size_t length = strlen(flag), end = strcspn(line, "\n");
    for (const char *at = line; (at = strstr(at, flag)) && at < line + end; at += length)
        if (at[-1] == ' ' && strchr(" \n", at[length])) /* the line begins with "flags", so there is an at[-1] */
            return true;
    return false;
}

/* The index in `vendors`, or -1 where the processor shows neither. */
static int vendor_of(const char *sysroot)
{
    rf_autofree char *path = rf_format("%s/proc/cpuinfo", sysroot);
    rf_autofree char *text = NULL;
    if (rf_read_file(path, 16U << 20, &text, NULL, NULL) < 0)
        return -1;
    const char *line = strncmp(text, "flags", 5) == 0 ? text : strstr(text, "\nflags");
    for (size_t i = 0; line && i < RF_COUNT(vendors); i++)
        if (line_has_flag(line + 1, vendors[i].flag))
            return (int)i;
    return -1;
}

/* A device node alone proves nothing: it must answer. Not asked of a recorded tree. */
static char *device_problem(const char *sysroot)
{
    if (!rf_sys_exists(sysroot, "/dev/kvm"))
        return rf_strdup("/dev/kvm is missing although the kernel has the module: see dmesg");
    if (*sysroot)
        return NULL;
    rf_autofd int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return rf_format("/dev/kvm can't be opened: %s", strerror(errno));
    int version = ioctl(fd, KVM_GET_API_VERSION, 0);
    return version == KVM_API_VERSION ? NULL : rf_format("/dev/kvm answers with API version %d, not 12", version);
}

static char *problem_of(const char *sysroot)
{
    int vendor = vendor_of(sysroot);
    if (vendor < 0)
        return rf_strdup(
            "the processor shows neither svm nor vmx: switch virtualization on in the firmware, or ask the "
            "provider for nested virtualization");
    const char *module = vendors[vendor].module;
    if (!rf_sys_exists(sysroot, "/sys/module/%s", module) && !rf_sys_exists(sysroot, "/dev/kvm"))
        return rf_format(
            "the kernel module %s is not loaded: load it by `modprobe %s`; dmesg says why where it refuses", module,
            module);
    return device_problem(sysroot);
}

void rf_inventory_kvm(const char *sysroot, rf_machine *machine)
{
    machine->kvm_reason = problem_of(sysroot);
    machine->kvm = !machine->kvm_reason;
}
