/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/vpn_key.h"

#include <openssl/evp.h>
#include <string.h>

enum { BYTES = 32, DECODED = 33 };

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

#define autokey RF_CLEANUP(free_key)

static void encode(const unsigned char bytes[BYTES], char ret_text[RF_VPN_KEY])
{
    EVP_EncodeBlock((unsigned char *)ret_text, bytes, BYTES);
}

int rf_vpn_key_new(char ret_private[RF_VPN_KEY], rf_error **err)
{
    autokey EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    unsigned char bytes[BYTES];
    size_t size = sizeof(bytes);
    if (!key || EVP_PKEY_get_raw_private_key(key, bytes, &size) != 1 || size != BYTES)
        return rf_fail(err, RF_FAILED, "making a WireGuard key: libcrypto can't");
    bytes[0] &= 248; /* RFC 7748, 5: as `wg genkey` writes it; the public key is the same either way */
    bytes[BYTES - 1] = (unsigned char)((bytes[BYTES - 1] & 127) | 64);
    encode(bytes, ret_private);
    explicit_bzero(bytes, sizeof(bytes));
    return 0;
}

int rf_vpn_key_public(const char *private_key, char ret_public[RF_VPN_KEY], rf_error **err)
{
    unsigned char private_bytes[DECODED + 1], public_bytes[BYTES];
    size_t size = sizeof(public_bytes), length = strlen(private_key);
    if (length != RF_VPN_KEY - 1 ||
        EVP_DecodeBlock(private_bytes, (const unsigned char *)private_key, (int)length) != DECODED)
        return rf_fail(err, RF_FAILED, "this is no WireGuard key");
    autokey EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_bytes, BYTES);
    explicit_bzero(private_bytes, sizeof(private_bytes));
    if (!key || EVP_PKEY_get_raw_public_key(key, public_bytes, &size) != 1)
        return rf_fail(err, RF_FAILED, "this is no WireGuard key");
    encode(public_bytes, ret_public);
    return 0;
}
