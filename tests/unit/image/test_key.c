/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "image/key.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>

static void a_key_is_what_it_depends_on(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *tree = rf_format("%s/tree/sub", directory), *top = rf_format("%s/tree", directory);
    rf_autofree char *file = rf_format("%s/file", tree), *link = rf_format("%s/link", tree);
    assert_int_equal(rf_make_dirs(tree, 0755, NULL), 0);
    assert_int_equal(rf_write_file(file, "one", 3, 0644, NULL), 0);
    assert_int_equal(symlink("a", link), 0);
    char digests[6][RF_SHA256_HEX];
    for (size_t i = 0; i < RF_COUNT(digests); i++) {
        if (i == 1) { /* only the time differs: the same key */
            const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
            assert_int_equal(utimensat(-1, file, times, 0), 0);
        }
        if (i == 2)
            assert_int_equal(rf_write_file(file, "two", 3, 0644, NULL), 0);
        if (i == 3)
            assert_int_equal(chmod(file, 0755), 0);
        if (i == 4) {
            unlink(link);
            assert_int_equal(symlink("b", link), 0);
        }
        if (i == 5) {
            rf_autofree char *empty = rf_format("%s/empty", tree);
            assert_int_equal(mkdir(empty, 0755), 0);
        }
        struct rf_key key = {0};
        assert_int_equal(rf_key_add_tree(&key, "tree", top, NULL), 0);
        rf_key_digest(&key, digests[i]);
        rf_key_clear(&key);
    }
    assert_string_equal(digests[0], digests[1]);
    for (size_t i = 2; i < RF_COUNT(digests); i++)
        assert_string_not_equal(digests[i - 1], digests[i]);
    struct rf_key key = {0};
    assert_int_equal(rf_key_add_file(&key, "file", "/nonexistent/x", NULL), -1);
    assert_int_equal(rf_key_add_tree(&key, "tree", "/nonexistent/x", NULL), -1);
    assert_null(key.inputs);
    rf_remove_tree(directory, NULL);
}

static void a_value_cannot_pretend_to_be_two(void **state)
{
    (void)state;
    struct rf_key one = {0}, two = {0};
    rf_key_add(&one, "a", "1\nb 2");
    rf_key_add(&two, "a", "1");
    rf_key_add(&two, "b", "2");
    assert_string_equal(one.inputs, "a 1 b 2\n");
    assert_string_equal(two.inputs, "a 1\nb 2\n");
    rf_key_clear(&one);
    rf_key_clear(&two);
}

/* The inputs' text is what a person compares, and its SHA-256 the key: neither may change by itself from release to release. */
static void inputs_are_lines(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *file = rf_format("%s/f", directory);
    assert_int_equal(rf_write_file(file, "abc", 3, 0644, NULL), 0);
    struct rf_key key = {0};
    char digest[RF_SHA256_HEX];
    rf_key_digest(&key, digest);
    assert_string_equal(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"); /* of nothing */
    rf_key_add(&key, "suite", "trixie");
    rf_key_add(&key, "none", NULL);
    assert_int_equal(rf_key_add_file(&key, "file", file, NULL), 0);
    assert_int_equal(rf_key_add_tree(&key, "tree", directory, NULL), 0);
    rf_autofree char *of_tree =
        rf_format("f 0 f %s\n", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char tree[RF_SHA256_HEX];
    rf_sha256(of_tree, strlen(of_tree), tree);
    rf_autofree char *wanted = rf_format("suite trixie\nnone \n"
                                         "file ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
                                         "tree %s\n",
                                         tree);
    assert_string_equal(key.inputs, wanted);
    char again[RF_SHA256_HEX];
    rf_sha256(wanted, strlen(wanted), again);
    rf_key_digest(&key, digest);
    assert_string_equal(digest, again);
    rf_key_clear(&key);
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_what_it_depends_on),
        cmocka_unit_test(a_value_cannot_pretend_to_be_two),
        cmocka_unit_test(inputs_are_lines),
    };
    return cmocka_run_group_tests_name("image/key", tests, NULL, NULL);
}
