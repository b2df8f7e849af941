/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking LVM. Only the steps that use it include this. */
#pragma once

#include "base/step.h"

/* LVM looks at this physical volume only: whatever else is on this machine's disks, and whatever lvm.conf says, does not matter
 * (lvm.conf(5), devices/filter; use_devicesfile=0 because a devices file would override the filter). For --config; the caller
 * frees it. */
char *rf_lvm_only(const char *physical);

struct rf_lvm_answer {
    char *text;  /* the report's first line, blanks around it trimmed; never NULL */
    char *words; /* what LVM said on standard error, one line */
};

void rf_lvm_answer_clear(struct rf_lvm_answer *answer);
#define rf_autoanswer RF_CLEANUP(rf_lvm_answer_clear)

/* One of LVM's reports (pvs, vgs, lvs). A status other than 0 means that there is no such thing, which is an answer (an empty one) and
 * no failure. Reads only; blocks. The caller clears the answer. */
int rf_lvm_report(struct rf_step_env *env, const char *const *argv, struct rf_lvm_answer *ret_answer, rf_error **err);
