/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WireGuard's keys: X25519 (RFC 7748), 32 bytes as base64. */
#pragma once

#include "base/error.h"

#define RF_VPN_KEY 45 /* 44 characters and the NUL */

/* A new private key. */
int rf_vpn_key_new(char ret_private[RF_VPN_KEY], rf_error **err);

/* The public key of a private one; RF_FAILED where that is none. */
int rf_vpn_key_public(const char *private_key, char ret_public[RF_VPN_KEY], rf_error **err);
