/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can this machine run guests with hardware virtualization? */
#pragma once

/* NULL where the processor shows svm or vmx and /dev/kvm answers with the API's version 12 (Documentation/virt/kvm/api.rst, 4.1); else what is
 * missing and what to do, the caller frees it. `root` is "" or a recorded tree, where the device's name is enough. */
char *rf_kvm_problem(const char *root);

/* The kernel's module for this processor, "kvm_amd" or "kvm_intel"; NULL where it shows neither svm nor vmx. */
const char *rf_kvm_module(const char *root);
