/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>

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

static int hash_stream(int fd, EVP_MD_CTX *context, void (*progress)(void *, uint64_t), void *data)
{
    enum { CHUNK = 1 << 20 };
    rf_autofree unsigned char *buffer = malloc(CHUNK);
    uint64_t done = 0;
    for (;;) {
        ssize_t got = buffer ? read(fd, buffer, CHUNK) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        EVP_DigestUpdate(context, buffer, (size_t)got);
        done += (uint64_t)got;
        if (progress)
            progress(data, done);
    }
}

int rf_sha256_file(const char *path, char ret_hex[RF_SHA256_HEX], void (*progress)(void *data, uint64_t done),
                   void *data, rf_error **err)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be opened", path);
    RF_CLEANUP(rf_guard_md) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        abort();
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (hash_stream(fd, context, progress, data) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", path);
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(context, digest, NULL);
    hex_of(digest, ret_hex);
    return 0;
}
