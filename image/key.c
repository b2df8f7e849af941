/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/key.h"

#include "base/memory.h"
#include "image/tree.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void rf_key_clear(struct rf_key *key)
{
    free(key->inputs);
    key->inputs = NULL;
}

void rf_key_add(struct rf_key *key, const char *name, const char *value)
{
    rf_autofree char *line = rf_strdup(value ? value : "");
    for (char *c = line; *c; c++)
        if (*c == '\n')
            *c = ' ';
    rf_append(&key->inputs, "%s %s\n", name, line);
}

int rf_key_add_file(struct rf_key *key, const char *name, const char *path, rf_error **err)
{
    char digest[RF_SHA256_HEX];
    if (rf_sha256_file(path, digest, NULL, NULL, err) < 0)
        return -1;
    rf_key_add(key, name, digest);
    return 0;
}

/* One line about one entry of a tree. */
static int describe(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    char **text = data;
    char digest[RF_SHA256_HEX] = "";
    char target[4096] = "";
    if (S_ISREG(status->st_mode) && rf_sha256_file(path, digest, NULL, NULL, err) < 0)
        return -1;
    if (S_ISLNK(status->st_mode) && readlink(path, target, sizeof(target) - 1) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "link %s can't be read", path);
    const char kind = S_ISDIR(status->st_mode) ? 'd' : S_ISLNK(status->st_mode) ? 'l' : 'f';
    rf_append(text, "%c %d %s %s%s\n", kind, kind == 'f' && (status->st_mode & S_IXUSR), below, digest, target);
    return 0;
}

int rf_key_add_tree(struct rf_key *key, const char *name, const char *path, rf_error **err)
{
    rf_autofree char *text = NULL;
    if (rf_tree_walk(path, describe, &text, err) < 0)
        return -1;
    char digest[RF_SHA256_HEX];
    rf_sha256(text ? text : "", text ? strlen(text) : 0, digest);
    rf_key_add(key, name, digest);
    return 0;
}

void rf_key_digest(const struct rf_key *key, char ret_hex[RF_SHA256_HEX])
{
    const char *text = key->inputs ? key->inputs : "";
    rf_sha256(text, strlen(text), ret_hex);
}
