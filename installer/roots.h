/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The roots of a node: subvolumes roots/<n> of the system volume, each a complete system, and what is known of each in
 * richtfest/roots/<n>.json beside them. A name that is not a number alone (2.new) is a root that is still being made, or the rest of one.
 */
#pragma once

#include "base/json.h"
#include "installer/boot_choice.h"

#include <stddef.h>

#define RF_ROOT_NEW ".new" /* behind the name of a root that is being made */

/* How a root came to be. */
#define RF_ROOT_INSTALLED "installed" /* the first one */
#define RF_ROOT_DEPLOYED "deployed"   /* from a medium, beside the others */
#define RF_ROOT_SNAPSHOT "snapshot"   /* of another root */

struct rf_root {
    unsigned number;
    char *how;         /* of the three above; NULL: nothing is known of it */
    char *version;     /* of the program in it; NULL: not known */
    char *digest;      /* of the payload that it was unpacked from; NULL of a snapshot */
    char *run;         /* of a snapshot: the run of apt that it was taken before; NULL: a person asked for it */
    unsigned of;       /* of a snapshot: of which root; else 0 */
    json_int_t made;   /* seconds since the epoch; 0: not known */
    json_int_t good;   /* when it was last found healthy, or taken of a root that was; 0: never */
    json_int_t failed; /* when its trial ended without that; 0: it did not */
};

void rf_root_clear(struct rf_root *root);
#define rf_autoroot RF_CLEANUP(rf_root_clear)

typedef struct rf_roots {
    struct rf_root *list; /* by number */
    size_t count;
    struct rf_boot_choice choice;
    unsigned running; /* 0: none of them does */
} rf_roots;

/* `top` is where the system volume's top level is mounted. RF_BAD_MACHINE where it does not say which root is booted. Reads only; the caller
 * frees it. */
int rf_roots_read(const char *top, unsigned running, rf_roots **ret_roots, rf_error **err);
void rf_roots_free(rf_roots *roots);
RF_GUARD(rf_roots, rf_roots_free);
#define rf_autoroots RF_CLEANUP(rf_guard_rf_roots)

/* NULL where there is none of that number. */
const struct rf_root *rf_roots_find(const rf_roots *roots, unsigned number);

/* Is the root that runs on trial? Pure. */
bool rf_roots_on_trial(const rf_roots *roots);

/* The number of the next one: no number is used twice as long as a later one is there. Pure. */
unsigned rf_roots_next(const rf_roots *roots);

/* To which root `rollback` goes: the newest snapshot of the running one, else the one before it; from one on trial, to that at once. 0: there
 * is none. Pure. */
unsigned rf_roots_back(const rf_roots *roots);

/* The last good root other than `number`: the newest deployed or installed one, else the newest snapshot. 0: there is none. Pure. */
unsigned rf_roots_good(const rf_roots *roots, unsigned number);

/* Why the root must stay ("it runs"); NULL: it may go. Pure. */
const char *rf_root_needed(const rf_roots *roots, unsigned number);

/* Which snapshots of apt's runs are beyond the newest `keep`, oldest first, none that is needed. The array has *ret_count numbers; the caller
 * frees it. Pure. */
unsigned *rf_roots_surplus(const rf_roots *roots, unsigned keep, size_t *ret_count);

/* For people and for programs; the caller owns them. Pure. */
char *rf_roots_text(const rf_roots *roots);
json_t *rf_roots_json(const rf_roots *roots);

/* What a person has to know of roots without asking: one is on trial, one has failed, another one runs than is booted. A line each; "" where
 * there is nothing. The caller frees it. Pure; `roots` is what rf_roots_json made, or NULL. */
char *rf_roots_news(const json_t *roots);

/* Notes what is known of a root. Whole or not at all. */
int rf_root_note(const char *top, const struct rf_root *root, rf_error **err);

/* Says which root is booted, for all loaders of all disks at once: the rename of one file. On the disk only after the next
 * commit of the file system (`btrfs filesystem sync`). */
int rf_roots_choose(const char *top, const char *node_id, const char *system_uuid, const struct rf_boot_choice *choice,
                    rf_error **err);
