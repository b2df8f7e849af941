/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's generated passwords. They live in a file (0600, below a 0700 directory of the node's state) from before the guest learns them
 * until it works with them and they are handed over; then they are gone from the node, but for those that the recipe keeps for its
 * probes, which are never handed over.
 */
#pragma once

#include "base/digest.h"
#include "base/step.h"
#include "postinstall/node.h"

#define RF_SECRET_TLS_KEY "tls_key"
#define RF_SECRET_SERVICE "directory_service" /* password of the member's account in its directory */
#define RF_SECRET_JOIN "directory_join"       /* one-time password of the member's computer account */

struct rf_secret {
    char *key; /* in the guest's description: "administrator", "user.anna" */
    char *
        mark; /* what is noted when it was generated: a member's are generated again for a directory that was made anew */
    char *title; /* what the admins read beside it; NULL: for machines only, never handed over */
    unsigned length;
    bool keep;
};

/* All that the guest has: the recipe's, one for each account where the recipe says so, and those of a member. The caller frees it by
 * rf_secrets_free. */
struct rf_secret *rf_secret_list(const struct rf_node_guest *guest, size_t *ret_count);
void rf_secrets_free(struct rf_secret *secrets, size_t count);

/* An object key → password: what the guest is still to learn, and what is kept; or NULL where there is none. The caller owns it. */
json_t *rf_secret_load(const struct rf_node_guest *guest);

/* Only those that are still to be learned and handed over; or NULL. */
json_t *rf_secret_pending(const struct rf_node_guest *guest);

/* Only those that are kept; or NULL. */
json_t *rf_secret_kept(const struct rf_node_guest *guest);

/* Does it have any that are handed over? */
bool rf_secret_for_people(const struct rf_node_guest *guest);

/* Generates what is missing, and before the first boot the guest's TLS key and certificate. Argument: rf_node_guest. Repeatable: what
 * exists is kept, because the guest may already have it. What was generated for an account, or for a directory, that has left the profile since is
 * forgotten: who comes back gets another one. */
extern const struct rf_step_ops rf_step_secret;

/* Notes as generated what people have: for a guest that brings its passwords with it. A member's own and the kept ones are made anew. */
int rf_secret_mark_known(const struct rf_node_guest *guest, rf_error **err);

/* Those of a member are generated again: the guest may no longer have what it made of them. For a guest of which only node and name are known, too.
 * Repeatable. */
int rf_secret_forget_member(const struct rf_node_guest *guest, rf_error **err);

/* Of the kept ones, so that one can see whether the guest knows them; "" where there are none. */
void rf_secret_kept_digest(const struct rf_node_guest *guest, char ret_hex[RF_SHA256_HEX]);

/* Forgets the pending passwords; the guest's TLS key stays until rf_secret_remove. Between the two the guest is marked as settled: whatever
 * a kill leaves, no run makes another key for one that has its own. Repeatable. */
int rf_secret_handed_over(const struct rf_node_guest *guest, rf_error **err);

/* Is the TLS key of the first boot pending still? */
bool rf_secret_seeding(const struct rf_node_guest *guest);

/* Forgets what was pending; absent is fine. */
int rf_secret_remove(const struct rf_node_guest *guest, rf_error **err);
