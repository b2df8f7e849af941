/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digest.h"

#include "base/file.h"

#include <openssl/evp.h>

static void rf_guard_md(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void hex_of(const unsigned char *digest, char ret_hex[RF_SHA256_HEX])
{
    for (unsigned i = 0; i < 32; i++)
        sprintf(ret_hex + 2 * i, "%02x", digest[i]);
}

void rf_sha256(const void *data, size_t size, char ret_hex[RF_SHA256_HEX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* SHA-256 is always there */
    hex_of(digest, ret_hex);
}

static void take(void *context, const void *bytes, size_t size)
{
    EVP_DigestUpdate(context, bytes, size);
}

static int hash(const char *path, uint64_t offset, uint64_t size, struct rf_chunks *chunks, char ret_hex[RF_SHA256_HEX],
                rf_error **err)
{
    RF_CLEANUP(rf_guard_md) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        abort();
    chunks->take = take;
    chunks->taker = context;
    if (rf_read_chunks(path, offset, size, chunks, err) < 0)
        return -1;
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(context, digest, NULL);
    hex_of(digest, ret_hex);
    return 0;
}

int rf_sha256_file(const char *path, char ret_hex[RF_SHA256_HEX], void (*progress)(void *data, uint64_t done),
                   void *data, rf_error **err)
{
    return hash(path, 0, RF_TO_THE_END, &(struct rf_chunks){.progress = progress, .data = data}, ret_hex, err);
}

int rf_sha256_part(const char *path, uint64_t offset, uint64_t size, char ret_hex[RF_SHA256_HEX], rf_error **err)
{
    return hash(path, offset, size, &(struct rf_chunks){0}, ret_hex, err);
}
