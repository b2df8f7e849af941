/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the machine have what the profile requires? All problems at once, with numbers. Pure. */
#pragma once

#include "raid/match.h"

/* Where the firmware does not tell how much memory is installed, what is seen may be this much less than what was sold: kernel,
 * firmware and hypervisor take their part before anybody can count (1 % to 5 % seen on machines of 2 to 64 GB). */
#define RF_FIT_MEMORY_PERCENT 6

/* requires.cores, memory and kvm; and how many disks the level takes.
 *
 * requires.storage is what the chosen disks give at the profile's level, as disks are sold: so many of the smallest one as the level
 * leaves for data, before partitions take their part. So two disks sold as 4 TB are 4 TB at raid1, as the customer
 * reads it in his contract. It is checked only where `match` has chosen disks; a problem of its own says so where not. */
void rf_fit_check(const rf_profile *profile, const rf_machine *machine, const struct rf_match *match,
                  rf_problems *problems);

/* Bytes that these disks give at the profile's level, as described above: a spare gives none, and a member that is missing on
 * purpose will be as large as the smallest that is there. The profile's count is one that its level takes. */
uint64_t rf_fit_storage(const rf_profile *profile, const struct rf_match *match);
