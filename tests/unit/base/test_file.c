/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>

static char *in(const char *name)
{
    return rf_format("%s/%s", unit_scratch(), name);
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
    rf_autodir DIR *dir = opendir(unit_scratch());
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

struct taken {
    uint64_t bytes, said;
    size_t largest;
    char first, last;
};

static void take(void *taker, const void *bytes, size_t size)
{
    struct taken *self = taker;
    if (self->bytes == 0)
        self->first = ((const char *)bytes)[0];
    self->last = ((const char *)bytes)[size - 1];
    self->largest = size > self->largest ? size : self->largest;
    self->bytes += size;
}

static void so_far(void *data, uint64_t done)
{
    struct taken *self = data;
    assert_int_equal(done, self->bytes);
    self->said = done;
}

static void test_chunks(void **state)
{
    (void)state;
    enum { SIZE = (5 << 19) + 3 };
    rf_autofree char *path = in("chunks"), *big = rf_alloc(SIZE);
    memset(big, '.', SIZE);
    big[0] = 'a';
    big[1000] = 'b';
    big[SIZE - 1] = 'z';
    rf_write_file(path, big, SIZE, 0600, NULL);
    struct taken all = {0}, part = {0}, none = {0};
    const struct rf_chunks for_all = {take, &all, so_far, &all}, for_part = {.take = take, .taker = &part},
                           for_none = {.take = take, .taker = &none};
    assert_int_equal(rf_read_chunks(path, 0, RF_TO_THE_END, &for_all, NULL), 0);
    assert_int_equal(all.bytes, SIZE);
    assert_int_equal(all.said, SIZE);
    assert_true(all.largest <= 1 << 20);
    assert_int_equal(all.first, 'a');
    assert_int_equal(all.last, 'z');
    assert_int_equal(rf_read_chunks(path, 1000, (1 << 20) + 1, &for_part, NULL), 0);
    assert_int_equal(part.bytes, (1 << 20) + 1);
    assert_int_equal(part.first, 'b');
    assert_int_equal(part.last, '.');
    assert_int_equal(rf_read_chunks(path, SIZE, 0, &for_none, NULL), 0);
    assert_int_equal(none.bytes, 0);
    rf_error *error = NULL;
    assert_int_equal(rf_read_chunks(path, SIZE - 10, 30, &for_none, &error), -1);
    assert_error_has(error, "chunks ends 20 bytes early");
    assert_int_equal(rf_read_chunks(unit_scratch(), 0, RF_TO_THE_END, &for_none, &error), -1);
    assert_error_has(error, "can't be read: Is a directory");
}

static void test_remove_tree(void **state)
{
    (void)state;
    rf_autofree char *path = in("x");
    assert_int_equal(rf_remove_tree(path, NULL), 0);
    assert_false(rf_exists(path));
    assert_int_equal(rf_remove_tree(path, NULL), 0);
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
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_remove_tree),
    };
    return cmocka_run_group_tests_name("base/file", tests, unit_scratch_open, unit_scratch_close);
}
