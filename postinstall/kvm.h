/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can this machine run guests with hardware virtualization? */
#pragma once

#include <stdbool.h>

/* True where the processor says svm or vmx and /dev/kvm answers with API version 12 (Documentation/virt/kvm/api.rst, 4.1). A
 * device node alone proves nothing. Else false, and *ret_reason says what is missing and what to do (the caller frees it).
 * `root` is "" or a directory that stands for it in tests. */
bool rf_kvm_usable(const char *root, char **ret_reason);
