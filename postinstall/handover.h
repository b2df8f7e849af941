/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handing generated passwords over: encrypted by age to the admins' own SSH keys, kept as a file of the node and sent with the
 * report. Whoever holds one of the private keys reads it with `age -d -i ~/.ssh/id_ed25519 FILE`.
 */
#pragma once

#include "base/problem.h"
#include "base/step.h"
#include "postinstall/node.h"

/* Can somebody read what will be handed over? age takes ssh-ed25519 and ssh-rsa keys (age(1), "SSH keys"); at least one of
 * them must be in the profile where something is to be handed over, which is always: admins get a password for sudo. Pure. */
void rf_handover_check(const rf_profile *profile, rf_problems *problems);

/* The keys of `admin` (NULL: of all admins) that age takes, one per line; all admins' where that one has none. The caller
 * frees it. */
char *rf_handover_recipients(const rf_profile *profile, const struct rf_admin *admin);

/* `age -a -R FILE`, the secret on its standard input. The armored text goes to *ret_armored, the caller frees it. The file
 * of recipients is temporary, below RF_RUN_DIR. */
int rf_handover_encrypt(rf_runner *runner, const rf_node_model *model, const char *recipients, const char *secret,
                        char **ret_armored, rf_error **err);

/* Tells the event {"handover": {kind: name, "age": …}} of the current step and then writes `path` (0600): a kill between
 * both makes the next run tell it again. */
int rf_handover_deliver(struct rf_step_env *env, const char *path, const char *kind, const char *name,
                        const char *armored, rf_error **err);

/* Encrypts and delivers the passwords of a guest that are for people, as RF_STATE_HANDOVER/<guest>.age; those of accounts that came later
 * as RF_STATE_HANDOVER/<guest>.<digest>.age. Argument: rf_node_guest. */
extern const struct rf_step_ops rf_step_handover;
