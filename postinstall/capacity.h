/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the guests may have together: the machine's memory without what the node keeps (node.reserve), of which a plan gives none out twice;
 * and so many virtual processors for each of the machine's as node.overcommit says. A machine that is installed is refused where they do not
 * fit. On a node it is said and the work goes on: guests that are in use stay up, and each start asks what those that run may take.
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

/* Bytes that all guests together may have of `memory`. Pure. */
uint64_t rf_capacity_room(const rf_profile *profile, uint64_t memory);
