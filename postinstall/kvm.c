/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's own answer about KVM. */
#include "postinstall/kvm.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

enum { CPUINFO_MAX = 4 << 20, API_VERSION = 12 };

static bool processor_can(const char *root)
{
    rf_autofree char *path = rf_format("%s/proc/cpuinfo", root), *text = NULL;
    if (rf_read_file(path, CPUINFO_MAX, &text, NULL, NULL) < 0)
        return false;
    return strstr(text, " svm ") || strstr(text, " vmx ") || strstr(text, " svm\n") || strstr(text, " vmx\n");
}

bool rf_kvm_usable(const char *root, char **ret_reason)
{
    if (!processor_can(root)) {
        *ret_reason = rf_strdup("the processor offers no hardware virtualization (neither svm nor vmx), so guests are "
                                "emulated and slow; switch it on in the firmware, or ask the provider for nested "
                                "virtualization");
        return false;
    }
    rf_autofree char *path = rf_format("%s/dev/kvm", root);
    rf_autofd int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        *ret_reason =
            rf_format("/dev/kvm can't be opened (%s), so guests are emulated and slow; is the module kvm_amd or "
                      "kvm_intel loaded?",
                      strerror(errno));
        return false;
    }
    if (ioctl(fd, KVM_GET_API_VERSION, 0) != API_VERSION) {
        *ret_reason = rf_strdup("/dev/kvm does not answer as KVM does, so guests are emulated and slow");
        return false;
    }
    return true;
}
