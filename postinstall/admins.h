/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The admins' Unix accounts. They log in by SSH with their keys only; the one generated password is for Cockpit and sudo and is
 * handed over like a guest's. Root has no password at all.
 */
#pragma once

#include "base/step.h"
#include "postinstall/node.h"

/* Where sshd looks for an admin's keys: owned by root, replaced as a whole, so that a key removed from the profile is gone. What
 * an admin keeps in ~/.ssh/authorized_keys is not touched. */
#define RF_SSH_KEYS_DIR "/etc/ssh/authorized_keys.d"
#define RF_SSHD_CONFIG "/etc/ssh/sshd_config.d/10-richtfest.conf"

/* Pure; the caller frees them. The image may ship the first one as RF_SSHD_CONFIG. */
char *rf_sshd_config(void);
char *rf_admin_keys(const struct rf_admin *admin);

/* Keys only, no root by SSH. Reloads the server where the file changed. Argument: rf_node_model. */
extern const struct rf_step_ops rf_step_sshd;

/* The account with its groups (sudo, libvirt) and keys. Argument: rf_node_admin. Repeatable. */
extern const struct rf_step_ops rf_step_admin;

/* Is that a file of keys which this program wrote? */
bool rf_admin_keys_ours(const char *path);

/* Whoever left the profile: the account is locked for every way in (it expires, which PAM asks for SSH and Cockpit), leaves the groups, and last its keys
 * go. Only accounts whose keys this program wrote; home and files stay, and so does a session that is open. Nothing is done where the profile has
 * no admin at all. Argument: rf_node_model. Repeatable; a kill leaves the keys as the mark, so the next run goes on. One who comes back is
 * unlocked by rf_step_admin. */
extern const struct rf_step_ops rf_step_admins_old;

/* The password: generated once, set by chpasswd's standard input, handed over. It lies in a 0600 file only between generation
 * and hand-over, so that a kill never leaves a password that nobody knows. Argument: rf_node_admin. */
extern const struct rf_step_ops rf_step_admin_password;
