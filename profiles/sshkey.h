/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SSH public keys as they stand in a .pub file (RFC 4253, 6.6; sshd(8), AUTHORIZED_KEYS FILE FORMAT). No message shows the key. */
#pragma once

#include <stdbool.h>

/* What people put there instead of a public key (a private key, options, a type that sshd no longer takes), said in their words;
 * the caller frees it. NULL: none of these. */
char *rf_ssh_key_mistake(const char *line);

/* What is wrong with a line of the right shape, or NULL: a known type, and a blob that is of that type and whole. RSA needs
 * 2048 bits. The caller frees it. */
char *rf_ssh_key_check(const char *line);

/* Can age(1) encrypt to it? ssh-ed25519 and ssh-rsa only; passwords are handed over that way. For a line that was checked. */
bool rf_ssh_key_for_age(const char *line);
