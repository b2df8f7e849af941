/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A directory that stands for a root file system, beside one that stands for the building machine's. */
#pragma once

#include "base/file.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>

struct roots {
    char *top, *root, *host; /* TOP/root, TOP/host */
};

static inline char *roots_path(const char *root, const char *below)
{
    return rf_format("%s/%s", root, below);
}

static inline void roots_put(const char *root, const char *below, const char *text, mode_t mode)
{
    rf_autofree char *path = roots_path(root, below), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, text, strlen(text), mode, NULL), 0);
}

static inline void roots_link(const char *root, const char *below, const char *target)
{
    rf_autofree char *path = roots_path(root, below), *above = rf_strdup(path);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(symlink(target, path), 0);
}

static inline bool roots_has(const char *root, const char *below)
{
    rf_autofree char *path = roots_path(root, below);
    struct stat status;
    return lstat(path, &status) == 0;
}

/* The caller frees it; NULL: there is none. */
static inline char *roots_read(const char *root, const char *below)
{
    rf_autofree char *path = roots_path(root, below);
    char *text = NULL;
    rf_read_file(path, 1 << 16, &text, NULL, NULL);
    return text;
}

static inline void roots_open(struct roots *self)
{
    self->top = unit_directory();
    self->root = roots_path(self->top, "root");
    self->host = roots_path(self->top, "host");
    roots_put(self->root, "etc/hostname", "image", 0644);
    roots_put(self->host, "keep", "host", 0644);
}

static inline void roots_close(struct roots *self)
{
    rf_remove_tree(self->top, NULL);
    free(self->top);
    free(self->root);
    free(self->host);
}

#define ROOTS(self)                                                                                                    \
    (void)state;                                                                                                       \
    RF_CLEANUP(roots_close) struct roots self;                                                                         \
    roots_open(&self)
