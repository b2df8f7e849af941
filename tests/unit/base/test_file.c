/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>

static char *directory;

static char *in(const char *name)
{
    return rf_format("%s/%s", directory, name);
}

static void test_round_trip(void **state)
{
    (void)state;
    rf_autofree char *path = in("a");
    assert_int_equal(rf_write_file(path, "one\n", 4, 0640, NULL), 0);
    assert_int_equal(rf_write_file(path, "two\n", 4, 0640, NULL), 0);
    rf_autofree char *text = NULL;
    size_t size;
    assert_int_equal(rf_read_file(path, 4, &text, &size, NULL), 0);
    assert_string_equal(text, "two\n");
    assert_int_equal(size, 4);
    struct stat status;
    stat(path, &status);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void test_too_large_is_no_cut(void **state)
{
    (void)state;
    rf_autofree char *path = in("large");
    rf_write_file(path, "12345", 5, 0600, NULL);
    char *text = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_read_file(path, 4, &text, NULL, &error), -1);
    assert_null(text);
    assert_error_has(error, "is larger than the 4 bytes allowed");
}

static void test_failure_leaves_no_rubbish(void **state)
{
    (void)state;
    rf_autofree char *path = in("folder");
    rf_make_dirs(path, 0755, NULL);
    rf_error *error = NULL;
    assert_int_equal(rf_write_file(path, "x", 1, 0600, &error), -1); /* a directory stands there */
    assert_error_has(error, "can't be written");
    rf_autodir DIR *dir = opendir(directory);
    for (struct dirent *entry; (entry = readdir(dir));)
        assert_null(strstr(entry->d_name, ".folder."));
}

static void test_directories_whatever_the_umask(void **state)
{
    (void)state;
    mode_t old = umask(077);
    rf_autofree char *path = in("x/y/z");
    assert_int_equal(rf_make_dirs(path, 0755, NULL), 0);
    assert_int_equal(rf_make_dirs(path, 0755, NULL), 0);
    umask(old);
    struct stat status;
    stat(path, &status);
    assert_int_equal(status.st_mode & 0777, 0755);
}

static void test_first_line(void **state)
{
    (void)state;
    rf_autofree char *path = in("line");
    rf_write_file(path, "  QEMU HARDDISK  \nmore\n", 23, 0600, NULL);
    rf_autofree char *line = rf_read_line(path);
    assert_string_equal(line, "QEMU HARDDISK");
    assert_null(rf_read_line("/no/such/file"));
}

static uint64_t last_total;

static void progress(void *data, uint64_t done, uint64_t total)
{
    *(uint64_t *)data = done;
    last_total = total;
}

static void test_copy(void **state)
{
    (void)state;
    rf_autofree char *from = in("from"), *to = in("to");
    rf_autofree char *big = rf_alloc(9 << 20);
    rf_write_file(from, big, 9 << 20, 0600, NULL);
    uint64_t done = 0;
    assert_int_equal(rf_copy_file(from, to, 0644, progress, &done, NULL), 0);
    assert_int_equal(done, 9 << 20);
    assert_int_equal(last_total, 9 << 20);
    struct stat status;
    stat(to, &status);
    assert_int_equal(status.st_size, 9 << 20);
}

static void test_remove_tree(void **state)
{
    (void)state;
    rf_autofree char *path = in("x");
    assert_int_equal(rf_remove_tree(path, NULL), 0);
    assert_false(rf_exists(path));
    assert_int_equal(rf_remove_tree(path, NULL), 0);
}

static int setup(void **state)
{
    (void)state;
    directory = unit_directory();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rf_remove_tree(directory, NULL);
    free(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_too_large_is_no_cut),
        cmocka_unit_test(test_failure_leaves_no_rubbish),
        cmocka_unit_test(test_directories_whatever_the_umask),
        cmocka_unit_test(test_first_line),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_remove_tree),
    };
    return cmocka_run_group_tests_name("base/file", tests, setup, teardown);
}
