/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the guests may have together: the machine's memory without what the node keeps (node.reserve), never given out twice; and so many
 * virtual processors for each of the machine's as node.overcommit says.
 */
#pragma once

#include "postinstall/node.h"

#define RF_GUEST_OVERHEAD                                                                                              \
    (UINT64_C(128) << 20) /* what QEMU takes beside a guest's own memory: 90 to 200 MB, measured */

/* Bytes that the node keeps of `memory`: node.reserve.memory, else 1 GiB and a fiftieth (libvirt, Cockpit, the proxy and the page
 * tables of everybody; 0.7 GB were seen in use with three guests). Pure. */
uint64_t rf_capacity_reserve(const rf_profile *profile, uint64_t memory);

/* Adds a problem with the sums where the guests do not fit on a machine of so much memory (bytes) and so many processors. Pure. */
void rf_capacity_check(const rf_node_model *model, uint64_t memory, unsigned cores, rf_problems *problems);

/* Bytes that are left for this guest when those before it in the profile that fit have theirs. Pure. */
uint64_t rf_capacity_left(const struct rf_node_guest *guest, uint64_t memory);
