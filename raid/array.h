/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The array step's parts: looking at what is there, making a new array, changing a running one. Only raid/step_array.c, raid/array_*.c and
 * their tests include this. */
#pragma once

#include "raid/steps.h"

/* What one partition holds. */
enum rf_array_content { RF_ARRAY_BLANK, RF_ARRAY_OURS, RF_ARRAY_STRANGE };

struct rf_array_member {
    const char *device; /* borrowed from the layout */
    bool committed;     /* on a disk with a finished installation */
    enum rf_array_content content;
    char *holder;     /* the md device that runs on it now, or NULL */
    char *strange;    /* the type of what else is on it */
    bool zeroes_fast; /* its disk is told to zero a range and does it without being sent the zeroes */
};

struct rf_array_state {
    struct rf_array_member members[RF_MEMBERS_MAX]; /* the layout's, in its order */
    size_t count, ours;
    bool running;        /* under its own name */
    char *name;          /* the kernel name behind the array's own device, or NULL */
    unsigned raid_disks; /* of a running one: members that it is made for */
    char *action;        /* of a running one: what md does besides serving it ("recover", "idle"), or NULL */
};

/* From superblocks and, below `sysroot` ("" on a real machine), /sys; not from mdadm's output. Reads only; may be repeated. The caller clears the state. */
int rf_array_look(const char *sysroot, const struct rf_layout_array *array, struct rf_array_state *ret_state,
                  rf_error **err);
void rf_array_state_clear(struct rf_array_state *state);
#define rf_autoarraystate RF_CLEANUP(rf_array_state_clear)

/* Is the member part of the running array? Pure. */
bool rf_array_holds(const struct rf_array_state *state, const struct rf_array_member *member);

/*
 * Makes the array of the members that are there, all of them blank. Wipes what an older array left inside them, then mdadm writes the
 * superblocks as its last act: a kill before leaves blank members, and the next run begins again. Blocks: for RAID5 and RAID6 on disks
 * that zero fast up to two hours, else for seconds. Destroys what the members hold; the caller has looked.
 */
int rf_array_create(struct rf_step_env *env, const struct rf_layout_array *array, const struct rf_array_state *state,
                    rf_error **err);

/* Sets how fast md may ("sync_speed_max") or must ("sync_speed_min") copy in this array while others use its disks, KiB a second, until the next
 * start. Best effort: one that copies at its own pace is as good. */
void rf_array_speed(const struct rf_layout_array *array, const char *attribute, const char *kib);

/*
 * Makes a running array larger where it has fewer members than the layout says, onto the spares that it was given before. RAID1 has
 * its new member at once and fills it; the others move their data (a reshape, hours, restarted by the kernel after a power cut) and are
 * larger when that is over. Does not wait for either. Nothing to do, or done: 0. RF_FAILED where md is at work on the array.
 */
int rf_array_grow(struct rf_step_env *env, const struct rf_layout_array *array, const struct rf_array_state *state,
                  rf_error **err);
