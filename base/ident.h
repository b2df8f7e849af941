/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names that derive from the node's id: UUIDv5 (RFC 9562, 5.5) in a namespace of ours, so that the same profile gives the same
 * plan and a disk that is ours is recognised as ours.
 */
#pragma once

#include <stddef.h>

#define RF_UUID_TEXT 37 /* 36 characters and the NUL */

/* uuid5(uuid5(RICHTFEST, node_id), what), lower case: rf_uuid("musterkunde-n1", "array/system", text). */
void rf_uuid(const char *node_id, const char *what, char ret_text[RF_UUID_TEXT]);

/* A locally administered unicast MAC from the same source: "52:54:00:xx:xx:xx" (QEMU's prefix, as libvirt uses). */
void rf_mac(const char *node_id, const char *what, char ret_text[18]);

/* A random UUID (v4). */
void rf_uuid_random(char ret_text[RF_UUID_TEXT]);

/* `length` random characters from an alphabet without look-alikes, from getrandom(2); at least one upper and lower case
 * letter and one digit, so that Samba's and PAM's complexity rules are met. The caller frees it by rf_free_secret. */
char *rf_password(size_t length);
