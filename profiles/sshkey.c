/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SSH public keys: checked as far as can be told without using them. */
#include "profiles/sshkey.h"

#include "base/memory.h"
#include "profiles/text.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#define NEW_KEY "make one by `ssh-keygen -t ed25519` and write the line of its .pub file"

/* What follows the type's name in the blob: strings (RFC 4251, 5), each a length and that many bytes. */
static const struct key_type {
    const char *name;
    bool age;
    unsigned count;
    size_t lengths[3]; /* 0: any but nothing */
    size_t last_min;   /* bytes of the last string */
} key_types[] = {
    {"ssh-ed25519", true, 1, {32}, 0},      /* RFC 8709, 4 */
    {"ssh-rsa", true, 2, {0, 0}, 2048 / 8}, /* RFC 4253, 6.6: exponent, modulus; age takes none below 2048 bits */
    {"ecdsa-sha2-nistp256", false, 2, {8, 65}, 0},                   /* RFC 5656, 3.1: curve, point */
    {"ecdsa-sha2-nistp384", false, 2, {8, 97}, 0},                   /* the same */
    {"ecdsa-sha2-nistp521", false, 2, {8, 133}, 0},                  /* the same */
    {"sk-ssh-ed25519@openssh.com", false, 2, {32, 0}, 0},            /* OpenSSH's PROTOCOL.u2f: point, application */
    {"sk-ecdsa-sha2-nistp256@openssh.com", false, 3, {8, 65, 0}, 0}, /* the same: curve, point, application */
};

static const struct key_type *find_type(const char *line)
{
    size_t length = strcspn(line, " ");
    for (size_t i = 0; i < RF_COUNT(key_types); i++)
        if (strlen(key_types[i].name) == length && !strncmp(line, key_types[i].name, length))
            return &key_types[i];
    return NULL;
}

/* Takes one string off the blob; false where it is cut. */
static bool take(const unsigned char **at, size_t *left, const unsigned char **ret_string, size_t *ret_length)
{
    if (*left < 4)
        return false;
    size_t length = (size_t)(*at)[0] << 24 | (size_t)(*at)[1] << 16 | (size_t)(*at)[2] << 8 | (*at)[3];
    if (length > *left - 4)
        return false;
    *ret_string = *at + 4;
    *ret_length = length;
    *at += 4 + length;
    *left -= 4 + length;
    return true;
}

static char *check_blob(const struct key_type *type, const unsigned char *at, size_t left)
{
    const unsigned char *string = NULL;
    size_t length = 0;
    if (!take(&at, &left, &string, &length) || length != strlen(type->name) || memcmp(string, type->name, length) != 0)
        return rf_format("the key does not hold what its type %s says; copy the whole line of the .pub file",
                         type->name);
    for (unsigned i = 0; i < type->count; i++)
        if (!take(&at, &left, &string, &length) || !length || (type->lengths[i] && length != type->lengths[i]))
            return rf_format("the %s key is damaged or cut; copy the whole line of the .pub file", type->name);
    if (left)
        return rf_format("the %s key is too long; copy the line of the .pub file again", type->name);
    if (length < type->last_min)
        return rf_format("the %s key is shorter than %zu bits; " NEW_KEY, type->name, type->last_min * 8);
    return NULL;
}

char *rf_ssh_key_check(const char *line)
{
    const struct key_type *type = find_type(line);
    if (!type) {
        rf_autofree char *name = rf_format("%.*s", (int)strcspn(line, " "), line);
        rf_autofree char *shown = rf_shown(name);
        return rf_format("\"%s\" is not a type of SSH keys that is accepted; " NEW_KEY, shown);
    }
    const char *base64 = line + strlen(type->name) + 1;
    int length = (int)strcspn(base64, " ");
    rf_autofree unsigned char *blob = rf_alloc((size_t)length + 1);
    int decoded = length % 4 ? -1 : EVP_DecodeBlock(blob, (const unsigned char *)base64, length);
    if (decoded < 0)
        return rf_format("the %s key is damaged or cut; copy the whole line of the .pub file", type->name);
    for (int i = length; i && base64[i - 1] == '='; i--)
        decoded--; /* EVP_DecodeBlock counts the padding as data */
    return check_blob(type, blob, (size_t)decoded);
}

char *rf_ssh_key_mistake(const char *line)
{
    if (strstr(line, "PRIVATE KEY") || !strncmp(line, "AGE-SECRET-KEY-", 15))
        return rf_format(
            "this is a private key, which must never leave its owner: replace it by a new one, and write the "
            "line of the .pub file here");
    if (!strncmp(line, "ssh-dss ", 8))
        return rf_format("ssh-dss keys are no longer accepted by sshd; " NEW_KEY);
    if (strpbrk(line, "\r\n"))
        return rf_format("more than one line; write each key as an entry of its own");
    const char *key = strstr(line, " ssh-");
    if (key && strchr(line, '=') && strchr(line, '=') < key && !find_type(line))
        return rf_format("options in front of a key are not supported; begin with its type");
    return NULL;
}

bool rf_ssh_key_for_age(const char *line)
{
    const struct key_type *type = find_type(line);
    return type && type->age;
}
