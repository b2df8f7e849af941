/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/ident.h"

#include "base/memory.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

/* Drawn once for this project by uuidgen; a change would make every installed node a stranger. */
static const char namespace_text[] = "b1f0c6a4-5a1e-4f0b-9d57-3c1d7e0a9e21";

static void derive(const char *node_id, const char *what, uuid_t ret_uuid)
{
    uuid_t root, node;
    uuid_parse(namespace_text, root);
    uuid_generate_sha1(node, root, node_id, strlen(node_id));
    uuid_generate_sha1(ret_uuid, node, what, strlen(what));
}

void rf_uuid(const char *node_id, const char *what, char ret_text[RF_UUID_TEXT])
{
    uuid_t uuid = {0};
    derive(node_id, what, uuid);
    uuid_unparse_lower(uuid, ret_text);
}

void rf_mac(const char *node_id, const char *what, char ret_text[18])
{
    uuid_t uuid = {0};
    derive(node_id, what, uuid);
    snprintf(ret_text, 18, "52:54:00:%02x:%02x:%02x", uuid[13], uuid[14], uuid[15]);
}

void rf_uuid_random(char ret_text[RF_UUID_TEXT])
{
    uuid_t uuid;
    uuid_generate_random(uuid);
    uuid_unparse_lower(uuid, ret_text);
}

/* 0 O o, 1 l I are left out: these passwords get read aloud. */
static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

static bool complex_enough(const char *password)
{
    return strpbrk(password, "ABCDEFGHJKLMNPQRSTUVWXYZ") && strpbrk(password, "abcdefghijkmnpqrstuvwxyz") &&
           strpbrk(password, "23456789");
}

static char random_character(void)
{
    const unsigned count = sizeof(alphabet) - 1, limit = 256 / count * count; /* no modulo bias */
    unsigned char byte;
    do {
        if (getrandom(&byte, 1, 0) != 1)
            abort();
    } while (byte >= limit);
    return alphabet[byte % count];
}

char *rf_password(size_t length)
{
    if (length < 8)
        length = 8; /* shorter ones might never hold all three classes */
    char *password = rf_alloc(length + 1);
    do {
        for (size_t i = 0; i < length; i++)
            password[i] = random_character();
    } while (!complex_enough(password));
    return password;
}
