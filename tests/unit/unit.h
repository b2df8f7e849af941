/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every unit test includes: cmocka wants these before itself. */
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

/* cmocka.h needs these before itself. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The error's text is exactly this; frees it. */
#define assert_error(error, text)                                                                                      \
    do {                                                                                                               \
        rf_autofree char *said_ = rf_error_text(error);                                                                \
        rf_error_free(error);                                                                                          \
        (error) = NULL;                                                                                                \
        assert_non_null(said_);                                                                                        \
        assert_string_equal(said_, text);                                                                              \
    } while (0)

/* The error's text holds this; frees it. */
#define assert_error_has(error, part)                                                                                  \
    do {                                                                                                               \
        rf_autofree char *said_ = rf_error_text(error);                                                                \
        rf_error_free(error);                                                                                          \
        (error) = NULL;                                                                                                \
        assert_non_null(said_);                                                                                        \
        if (!strstr(said_, part))                                                                                      \
            fail_msg("\"%s\" does not say \"%s\"", said_, part);                                                       \
    } while (0)

/* A fresh directory below TMPDIR; the caller frees the path and removes the tree (rf_remove_tree). */
static inline char *unit_directory(void)
{
    const char *base = getenv("TMPDIR");
    char *path = rf_format("%s/richtfest-unit.XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(path))
        abort();
    return path;
}

/* One such directory for all tests of a program: these two are its group's setup and teardown. */
static inline char **unit_scratch_slot(void)
{
    static char *path;
    return &path;
}

#define unit_scratch() (*unit_scratch_slot())

static inline int unit_scratch_open(void **state)
{
    (void)state;
    unit_scratch() = unit_directory();
    return 0;
}

static inline int unit_scratch_close(void **state)
{
    (void)state;
    rf_remove_tree(unit_scratch(), NULL);
    free(unit_scratch());
    return 0;
}

/* The file's permission bits. */
static inline unsigned unit_mode(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

/* The text is that of the file at `path`. RF_GOLDEN_UPDATE=1 writes it anew: read the difference before it is committed. */
static inline void unit_golden(const char *path, const char *text)
{
    rf_autofree char *expected = NULL;
    if (getenv("RF_GOLDEN_UPDATE"))
        assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
    rf_read_file(path, 1U << 20, &expected, NULL, NULL);
    if (!expected || strcmp(expected, text) != 0)
        fail_msg("%s: expected\n%s\nbut it is\n%s", path, expected ? expected : "(no file)", text);
}
