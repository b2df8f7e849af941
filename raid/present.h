/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layout of a node's disks as far as they are there: also where one is missing, too many, or not chosen by the profile any more. */
#pragma once

#include "raid/layout.h"

/* Of the disks of `machine` that are this node's by their partition table, each as the member that it is. NULL where there is none, or a
 * problem hinders it (two copies of one disk). Nothing may be made from it that the whole layout would refuse: it is for looking, and for
 * what concerns one disk alone. Pure; the caller frees it. */
rf_layout *rf_layout_present(const rf_profile *profile, const rf_machine *machine, rf_problems *problems);
