/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What no single field can say: rules between fields, one row each. */
#pragma once

#include "profiles/schema.h"

struct rf_rule_run {
    struct rf_parse *parse;
    const rf_profile *profile; /* fields that were wrong are zeroed: a rule passes over them */
    const rf_node *root;       /* where things stand */
};

struct rf_rule {
    const char *name; /* "directory-cycle" */
    const char *help; /* one sentence for the reference page */
    void (*check)(const struct rf_rule_run *run);
};

extern const struct rf_rule rf_rules[];
extern const size_t rf_rules_count;

/* Adds what breaks a rule to the run's problems, at the place of the key that it is about. Pure. */
void rf_rules_check(struct rf_parse *parse, const rf_profile *profile, const rf_node *root);
