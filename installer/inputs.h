/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two inputs of a plan, read and checked as every command wants them. */
#pragma once

#include "profiles/profile.h"
#include "raid/machine.h"

/* A profile from a file or "-", validated by the schema, the recipes of its guests and the hand-over rules. *ret_profile is
 * NULL where `problems` got any. */
int rf_read_profile(const char *path, rf_profile **ret_profile, rf_problems *problems, rf_error **err);

/* The same from a text that is already there. */
rf_profile *rf_check_profile(const char *name, const char *text, size_t size, rf_problems *problems);

/* An installation with the example key would lock everybody out: a problem for whoever installs, not for `check`. */
void rf_check_example_key(const rf_profile *profile, rf_problems *problems);

/* report.url out of a text that may be wrong elsewhere, so that a bad profile can be reported; NULL where even that can't be
 * read. The caller frees it. */
char *rf_report_url(const char *text, size_t size);

/* This machine, or a recorded one where `path` is given, with the facts of its node where it is one. The
 * KVM module is loaded first where that is possible. */
int rf_read_machine(const char *path, rf_machine **ret_machine, rf_error **err);
