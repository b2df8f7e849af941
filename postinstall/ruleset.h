/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets of rules for nft(8): a file, and tables in the kernel that carry a digest of it, so that both can be compared. */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

#define RF_RULESETS_DIR "/etc/nftables.d" /* what /etc/nftables.conf includes */

struct rf_ruleset {
    const char *path;          /* "/etc/nftables.conf" */
    const char *const *tables; /* "inet richtfest", …: each is replaced as a whole; NULL-terminated */
    char *(*body)(const rf_node_model *model, size_t table); /* the inside of a table; the caller frees it */
    const char *tail;                                        /* after the tables, or NULL */
};

/* The file as nft reads it: loaded in one transaction, whether the tables were there or not. The caller frees it. Pure. */
char *rf_ruleset_text(const struct rf_ruleset *ruleset, const rf_node_model *model);

/* Done means: the file is this one, and every table in the kernel carries its digest. */
enum rf_probe rf_ruleset_probe(const struct rf_ruleset *ruleset, const rf_node_model *model, struct rf_step_env *env,
                               rf_error **err);

/* Writes the file and loads it. */
int rf_ruleset_apply(const struct rf_ruleset *ruleset, const rf_node_model *model, struct rf_step_env *env,
                     rf_error **err);
