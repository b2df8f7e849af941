/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Profile and machine together: the plan. Pure: what is planned on a recorded machine is what is planned on the machine.
 * The rooms plan their own parts; this orders them: disks, then the root and the boot loaders, then (on the node) guests.
 */
#pragma once

#include "base/step.h"
#include "profiles/profile.h"
#include "raid/machine.h"

struct rf_site_options {
    const char *medium; /* where the payload is: RF_MEDIUM_DIR, or what --medium says */
    const char *target; /* where the new system is mounted while it is written */
    struct rf_medium_check
        *check; /* of the medium, under way already (installer/medium_check.h); NULL: made when its turn comes */
    const char *source_id;        /* of the profile's source (image/region.h), or NULL */
    const char *kernel_arguments; /* further ones for the installed node's kernel, or NULL */
    const json_t *artefacts;      /* that a medium's images hold and lack, for a machine that is no node yet; or NULL */
    const char *ca;               /* further CAs that the node trusts (installer/trust.h), or NULL */
    const char *
        keep; /* where a node keeps its profile, which this one is to be (installer/keep_profile.h); NULL: it is already */
    bool unattended; /* a service asks, and nobody sits there: storage.replace says what that means for disks */
};

struct rf_site; /* owns what the steps point to */

/* RF_BAD_MACHINE problems (too small, foreign data, …) are added to `problems`, all of them; then *ret_site is NULL. */
int rf_site_new(const rf_profile *profile, const rf_machine *machine, const struct rf_site_options *options,
                struct rf_site **ret_site, rf_problems *problems, rf_error **err);

/* The whole plan, both phases; lives as long as the site. */
const rf_plan *rf_site_plan(const struct rf_site *site);

/* The phase that `apply` walks on this machine: install in the live system, node on a node. */
enum rf_phase rf_site_phase(const struct rf_site *site);

/* On a node: what is wrong with its disks or its fit, a line each; NULL where nothing is. Borrowed. */
const char *rf_site_disks(const struct rf_site *site);

/* On a node: the disks that wait for a person to bring them in, a sentence a line; NULL where none does. Borrowed. */
const char *rf_site_waiting(const struct rf_site *site);

void rf_site_free(struct rf_site *site);

static inline void rf_guard_site(struct rf_site **site)
{
    rf_site_free(*site);
}

#define rf_autosite RF_CLEANUP(rf_guard_site)
