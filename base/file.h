/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files: bounded reads, atomic writes, directories. Every descriptor is close-on-exec. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The whole file, NUL-terminated (the NUL not counted), the caller frees it. Larger than `max` bytes is an error, never a
 * cut. `ret_size` may be NULL. Works for /sys and /proc too. */
int rf_read_file(const char *path, size_t max, char **ret_text, size_t *ret_size, rf_error **err);

/* Who gets a file chunk by chunk. */
struct rf_chunks {
    void (*take)(void *taker, const void *bytes, size_t size);
    void *taker;
    void (*progress)(void *data, uint64_t done); /* after each chunk: bytes so far; or NULL */
    void *data;
};

#define RF_TO_THE_END UINT64_MAX

/* Reads `size` bytes from `offset` on, in order and in chunks of at most 1 MiB, so that a file of any size costs no more memory.
 * RF_TO_THE_END reads what there is; a part that ends early is RF_FAILED. Blocks while it reads. */
int rf_read_chunks(const char *path, uint64_t offset, uint64_t size, const struct rf_chunks *chunks, rf_error **err);

/* The first line of a small file without its newline and surrounding blanks (sysfs attributes); NULL where it can't be read. */
char *rf_read_line(const char *path);

/* Replaces `path` at once: temporary file beside it, fsync, rename, fsync of the directory. A kill leaves the old file or
 * the new one, and perhaps a temporary ".NAME.XXXXXX". */
int rf_write_file(const char *path, const void *data, size_t size, mode_t mode, rf_error **err);

/* mkdir -p; `mode` is for directories it makes. An existing directory is fine. */
int rf_make_dirs(const char *path, mode_t mode, rf_error **err);

/* rm -r, staying on one file system; an absent path is fine. */
int rf_remove_tree(const char *path, rf_error **err);

/* Copies a regular file's content through a temporary name beside `to`, fsync, rename. `progress` may be NULL. */
int rf_copy_file(const char *from, const char *to, mode_t mode,
                 void (*progress)(void *data, uint64_t done, uint64_t total), void *data, rf_error **err);

/* access(2) with F_OK: follows links, says no where a directory on the way can't be searched. */
bool rf_exists(const char *path);
