/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which disks a profile means. Disks are chosen by what they are, exactly as many as asked; a property that a disk does not
 * have does not match, and more matches than asked stop as surely as fewer. Pure.
 */
#pragma once

#include "base/problem.h"
#include "profiles/profile.h"
#include "raid/machine.h"

#define RF_MEMBERS_MAX 64 /* disks of one node that are recognised as its own */

struct rf_match_row {
    const struct rf_disk *disk;
    char *reason; /* why it does not match; NULL: it does */
};

/* All disks in the order of their identity, and the chosen ones in the same order (empty where the number is wrong). */
struct rf_match {
    struct rf_match_row *rows;
    size_t count;
    const struct rf_disk **chosen; /* borrowed from the machine */
    size_t chosen_count;
};

/* Matches storage.disks against the machine's disks. A disk that is in use, read-only or unreadable can't be chosen; a
 * removable one only where the profile asks for transport usb. Two exceptions: a disk that is already this node's may be in
 * use, and a disk on which only an unmounted md array or mapping runs is a candidate, so that raid/foreign.h can say
 * what is on it. A wrong number of matches is a problem with a table of all disks in its text. The caller clears
 * `ret_match`, which is filled in both cases. */
void rf_match_disks(const rf_profile *profile, const rf_machine *machine, struct rf_match *ret_match,
                    rf_problems *problems);

/* The rows as a table for people, each on a line of its own behind a line break: name, size, identity, and "matches" (with "disk 2 of this
 * node" where it is one) or "no: REASON". The caller frees it. Pure. */
char *rf_match_table(const char *node_id, const struct rf_match_row *rows, size_t count);

/* Frees what it holds (not the disks) and leaves it empty. */
void rf_match_clear(struct rf_match *match);
#define rf_automatch RF_CLEANUP(rf_match_clear)

/* The order of disks: serial, WWN, bus path (a disk without one comes after those with one), never the kernel name. 0: they
 * can't be told apart. */
int rf_disk_order(const struct rf_disk *left, const struct rf_disk *right);

/* Which member of this node the disk is (from 1), by its GPT disk GUID: rf_uuid(node_id, "disk/<n>"). 0: not ours. */
unsigned rf_disk_member(const char *node_id, const struct rf_disk *disk);

/* "serial S3Z1", "wwn 0x5000c5…", "path pci-…" or "no identity": what a person finds the disk by. The caller frees it. */
char *rf_disk_label(const struct rf_disk *disk);
