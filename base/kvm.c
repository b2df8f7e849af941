/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can this machine run guests by KVM, and if not, why not and what to do about it. */
#include "base/kvm.h"

#include "base/file.h"
#include "base/memory.h"

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
static int vendor_of(const char *root)
{
    rf_autofree char *path = rf_format("%s/proc/cpuinfo", root);
    rf_autofree char *text = NULL;
    if (rf_read_file(path, 16U << 20, &text, NULL, NULL) < 0)
        return -1;
    const char *line = strncmp(text, "flags", 5) == 0 ? text : strstr(text, "\nflags");
    for (size_t i = 0; line && i < RF_COUNT(vendors); i++)
        if (line_has_flag(line + 1, vendors[i].flag))
            return (int)i;
    return -1;
}

static bool there(const char *root, const char *name)
{
    rf_autofree char *path = rf_format("%s%s", root, name);
    return rf_exists(path);
}

/* A device node alone proves nothing: it must answer. Not asked of a recorded tree. */
static char *device_problem(const char *root)
{
    if (!there(root, "/dev/kvm"))
        return rf_strdup("/dev/kvm is missing although the kernel has the module: see dmesg");
    if (*root)
        return NULL;
    rf_autofd int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return rf_format("/dev/kvm can't be opened: %s", strerror(errno));
    int version = ioctl(fd, KVM_GET_API_VERSION, 0);
    return version == KVM_API_VERSION ? NULL : rf_format("/dev/kvm answers with API version %d, not 12", version);
}

const char *rf_kvm_module(const char *root)
{
    const int vendor = vendor_of(root);
    return vendor < 0 ? NULL : vendors[vendor].module;
}

char *rf_kvm_problem(const char *root)
{
    const char *module = rf_kvm_module(root);
    if (!module)
        return rf_strdup(
            "the processor shows neither svm nor vmx: switch virtualization on in the firmware, or ask the "
            "provider for nested virtualization");
    rf_autofree char *loaded = rf_format("/sys/module/%s", module);
    if (!there(root, loaded) && !there(root, "/dev/kvm"))
        return rf_format(
            "the kernel module %s is not loaded: load it by `modprobe %s`; dmesg says why where it refuses", module,
            module);
    return device_problem(root);
}
