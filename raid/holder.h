/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running devices that are built on disks, and how each kind of them is shut down: one row each (holder.c). */
#pragma once

#include "base/step.h"
#include "raid/machine.h"

struct rf_holder_kind {
    const char *kind;      /* rf_volume.kind */
    const char *prefix;    /* dm: what its UUID begins with ("LVM-", "CRYPT-", …; "" for any); else NULL */
    const char *title;     /* for people */
    const char *stop[5];   /* argv; "%d" stands for its device, "%m" for the mapping's name. Empty: see `attribute` */
    const char *attribute; /* in /sys/block/NAME: "1" is written there; NULL: no such way */
    const char *refusal;   /* where there is no way that is safe: what a person does; else NULL */
};

/* Never NULL: what is not known is refused. */
const struct rf_holder_kind *rf_holder_kind(const struct rf_volume *volume);

/* The volumes of the machine that are built on the disk, directly or through others, in the order in which they have to be
 * stopped: nothing comes before what is built on it. A list of pointers into the machine; `ret_count` how many. The caller frees
 * the list. Pure. */
const struct rf_volume **rf_holders_of(const rf_machine *machine, const char *disk, size_t *ret_count);

/* Is the volume built on the disk of that kernel name? Pure. */
bool rf_holder_is_on(const rf_machine *machine, const struct rf_volume *volume, const char *disk);

/* The same, and with nothing in between: stopping it may write there. Pure. */
bool rf_holder_touches(const struct rf_volume *volume, const char *disk);

/* Can it be stopped without a write to what it is built on? True for md arrays that do not run, or run read-only: md writes its
 * superblocks only when it was writable (the kernel's drivers/md/md.c, __md_stop_writes). Pure. */
bool rf_holder_is_silent(const struct rf_volume *volume);

/* "RAID array md127 (clean): LVM physical volume (LVM2_member), …": what it is and what is in it. The caller frees it. Pure. */
char *rf_holder_text(const struct rf_volume *volume);

/* Stops one, and waits up to 10 s until it is gone from /sys (an array: until it holds nothing). RF_FAILED with the command's words,
 * or where it is still there; RF_BAD_MACHINE where a person has to do it. `sysroot` is "" but in tests. May be repeated; a kill
 * leaves it running or gone. */
int rf_holder_stop(struct rf_step_env *env, const char *sysroot, const struct rf_volume *volume, rf_error **err);

/* A signature's own: lets go of a bcache device that is registered without anything built on it. `name` is the kernel's name of
 * the disk or partition. */
int rf_holder_unregister(const char *sysroot, const char *name, rf_error **err);
