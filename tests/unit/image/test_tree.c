/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/tree.h"
#include "tests/unit/image/root.h"

#include <fcntl.h>

static int list(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    (void)path;
    rf_append(data, "%s%s\n", below, S_ISDIR(status->st_mode) ? "/" : S_ISLNK(status->st_mode) ? "@" : "");
    return strcmp(below, "stop") == 0 ? rf_fail(err, RF_FAILED, "stopped") : 0;
}

static void a_walk_has_an_order(void **state)
{
    ROOTS(self);
    static const char *const files[] = {"b", "a/z", "a.txt", "B", ".dot", "a/sub/x"};
    for (size_t i = 0; i < RF_COUNT(files); i++)
        roots_put(self.host, files[i], "", 0644);
    roots_link(self.host, "link", "a"); /* not followed */
    rf_autofree char *text = NULL;
    assert_int_equal(rf_tree_walk(self.host, list, &text, NULL), 0);
    assert_string_equal(text, ".dot\nB\na/\na/sub/\na/sub/x\na/z\na.txt\nb\nkeep\nlink@\n");
    roots_put(self.host, "stop", "", 0644);
    roots_put(self.host, "zzz", "", 0644);
    rf_autofree char *shorter = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_tree_walk(self.host, list, &shorter, &error), -1);
    assert_error(error, "stopped");
    assert_null(strstr(shorter, "zzz"));
    assert_int_equal(rf_tree_walk("/no/such/tree", list, &shorter, &error), -1);
    assert_error_has(error, "directory /no/such/tree can't be read");
}

static void an_overlay_replaces_and_never_writes_into(void **state)
{
    ROOTS(self);
    rf_autofree char *from = roots_path(self.top, "from"), *shared = roots_path(self.host, "keep"),
                     *linked = roots_path(self.root, "etc/shared"), *program = roots_path(self.root, "usr/bin/program");
    assert_int_equal(link(shared, linked), 0); /* the cache's unpacked root is a tree of hard links */
    roots_put(from, "etc/shared", "ours", 0600);
    roots_put(from, "usr/bin/program", "x", 0700);
    roots_put(from, "empty/.gitkeep", "", 0644);
    roots_link(from, "etc/motd", "shared");
    roots_put(self.root, "etc/motd", "in the way", 0644);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(rf_tree_overlay(from, self.root, 1795054374, NULL), 0);
    rf_autofree char *host = roots_read(self.host, "keep"), *ours = roots_read(self.root, "etc/shared"),
                     *motd = roots_read(self.root, "etc/motd");
    assert_string_equal(host, "host");
    assert_string_equal(ours, "ours");
    assert_string_equal(motd, "ours");
    assert_true(roots_has(self.root, "empty"));
    assert_false(roots_has(self.root, "empty/.gitkeep"));
    assert_true(roots_has(self.root, "etc/hostname"));
    struct stat status;
    assert_int_equal(stat(linked, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_int_equal(status.st_mtime, 1795054374);
    assert_int_equal(stat(program, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
}

static void an_overlay_stays_inside(void **state)
{
    ROOTS(self);
    rf_autofree char *from = roots_path(self.top, "from");
    roots_link(self.root, "lib", "usr/lib"); /* as Debian has it since /usr was merged */
    roots_put(self.root, "usr/lib/os-release", "x", 0644);
    roots_put(from, "lib/ours", "x", 0644);
    assert_int_equal(rf_tree_overlay(from, self.root, 1, NULL), 0);
    assert_true(roots_has(self.root, "usr/lib/ours"));
    roots_link(self.root, "var/run", self.host);
    roots_put(from, "var/run/pid", "x", 0644);
    rf_error *error = NULL;
    assert_int_equal(rf_tree_overlay(from, self.root, 1, &error), -1);
    assert_error_has(error, "var/run/pid can't be written: a link on the way leads out of");
    assert_false(roots_has(self.host, "pid"));
}

static void inside_is_told_by_real_paths(void **state)
{
    ROOTS(self);
    rf_autofree char *beside = rf_format("%s-2", self.root);
    assert_int_equal(rf_make_dirs(beside, 0755, NULL), 0);
    roots_link(self.root, "beside", beside);
    static const struct {
        const char *below;
        bool inside;
    } rows[] = {{"x", true},         {"etc/x", true},     {"etc/../etc/x", true}, {"../host/x", false},
                {"beside/x", false}, {"absent/x", false}, {"beside", true}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *path = roots_path(self.root, rows[i].below);
        if (rf_tree_inside(self.root, path) != rows[i].inside)
            fail_msg("%s", rows[i].below);
    }
    assert_false(rf_tree_inside("/no/such/root", self.host));
}

static void a_sync_makes_the_same_and_leaves_what_is_equal(void **state)
{
    ROOTS(self);
    rf_autofree char *from = roots_path(self.top, "from"), *to = roots_path(self.top, "to"),
                     *same = roots_path(to, "same");
    roots_put(from, "same", "x", 0644);
    roots_put(from, "changed", "new", 0644);
    roots_put(from, "now-a-directory/x", "x", 0644);
    roots_link(from, "link", "changed");
    roots_put(to, "same", "x", 0644);
    roots_put(to, "changed", "old", 0644);
    roots_put(to, "now-a-directory", "x", 0644);
    roots_put(to, "gone/deep/x", "x", 0644);
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(-1, same, times, 0), 0);
    assert_int_equal(rf_tree_sync(from, to, NULL), 0);
    rf_autofree char *ours = NULL, *theirs = NULL;
    assert_int_equal(rf_tree_walk(from, list, &ours, NULL), 0);
    assert_int_equal(rf_tree_walk(to, list, &theirs, NULL), 0);
    assert_string_equal(ours, theirs);
    rf_autofree char *changed = roots_read(to, "changed");
    assert_string_equal(changed, "new");
    struct stat status;
    assert_int_equal(stat(same, &status), 0);
    assert_int_equal(status.st_mtime, 1000); /* make(1) would build everything again */
}

static void a_tree_is_measured(void **state)
{
    ROOTS(self);
    roots_put(self.host, "a/b", "12345", 0644);
    roots_link(self.host, "a/link", "bb");
    struct rf_tree_sum sum;
    assert_int_equal(rf_tree_measure(self.host, &sum, NULL), 0);
    assert_int_equal(sum.files, 3);
    assert_int_equal(sum.bytes, 4 + 5 + 2);
}

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
        cmocka_unit_test(a_walk_has_an_order),
        cmocka_unit_test(an_overlay_replaces_and_never_writes_into),
        cmocka_unit_test(an_overlay_stays_inside),
        cmocka_unit_test(inside_is_told_by_real_paths),
        cmocka_unit_test(a_sync_makes_the_same_and_leaves_what_is_equal),
        cmocka_unit_test(a_tree_is_measured),
        cmocka_unit_test(what_is_newer_gets_the_date),
        cmocka_unit_test(a_foreign_tree_becomes_ours),
        cmocka_unit_test(an_overlay_has_ordinary_modes),
    };
    return cmocka_run_group_tests_name("image/tree", tests, NULL, NULL);
}
