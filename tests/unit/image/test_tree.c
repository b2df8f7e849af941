/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "image/tree.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

enum { DATE = 1795054374 };

struct fixture {
    char *top, *directory, *file, *link;
};

static void start(struct fixture *self)
{
    self->top = unit_directory();
    self->directory = rf_format("%s/a", self->top);
    self->file = rf_format("%s/a/file", self->top);
    self->link = rf_format("%s/a/link", self->top);
    assert_int_equal(rf_make_dirs(self->directory, 0755, NULL), 0);
    assert_int_equal(rf_write_file(self->file, "x", 1, 0644, NULL), 0);
    assert_int_equal(symlink("/nowhere", self->link), 0);
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->top, NULL);
    free(self->top);
    free(self->directory);
    free(self->file);
    free(self->link);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static struct stat look(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status;
}

static void what_is_newer_gets_the_date(void **state)
{
    FIXTURE(self);
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(-1, self.link, old, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(rf_tree_clamp(self.top, 5000, NULL), 0);
    assert_int_equal(look(self.file).st_mtime, 5000);
    assert_int_equal(look(self.directory).st_mtime, 5000);
    assert_int_equal(look(self.top).st_mtime, 5000);
    assert_int_equal(look(self.link).st_mtime, 1000);
}

static void a_foreign_tree_becomes_ours(void **state)
{
    FIXTURE(self);
    if (geteuid() != 0)
        skip();
    assert_int_equal(lchown(self.file, 1000, 1000), 0);
    assert_int_equal(chmod(self.file, 04711), 0);
    assert_int_equal(chmod(self.directory, 0700), 0);
    assert_int_equal(rf_tree_normalise(self.top, DATE, NULL), 0);
    assert_int_equal(look(self.file).st_mode & 07777, 0755);
    assert_int_equal(look(self.file).st_uid, 0);
    assert_int_equal(look(self.file).st_mtime, DATE);
    assert_int_equal(look(self.directory).st_mode & 07777, 0755);
    assert_int_equal(chmod(self.file, 0600), 0);
    assert_int_equal(rf_tree_normalise(self.top, DATE, NULL), 0);
    assert_int_equal(look(self.file).st_mode & 07777, 0644);
}

/* The checkout's modes are its owner's umask: they never get into an image. */
static void an_overlay_has_ordinary_modes(void **state)
{
    FIXTURE(self);
    rf_autofree char *to = rf_format("%s/to", self.top), *from = rf_format("%s/from", self.top);
    rf_autofree char *copy = rf_format("%s/a", to), *file = rf_format("%s/a/file", to);
    assert_int_equal(rf_make_dirs(from, 0775, NULL), 0);
    rf_autofree char *moved = rf_format("%s/a", from);
    assert_int_equal(rename(self.directory, moved), 0);
    assert_int_equal(chmod(moved, 0775), 0);
    assert_int_equal(rf_make_dirs(to, 0755, NULL), 0);
    assert_int_equal(rf_tree_overlay(from, to, DATE, NULL), 0);
    assert_int_equal(look(copy).st_mode & 07777, 0755);
    assert_int_equal(look(file).st_mode & 07777, 0644);
    assert_int_equal(look(file).st_mtime, DATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_newer_gets_the_date),
        cmocka_unit_test(a_foreign_tree_becomes_ours),
        cmocka_unit_test(an_overlay_has_ordinary_modes),
    };
    return cmocka_run_group_tests_name("image/tree", tests, NULL, NULL);
}
