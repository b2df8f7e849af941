/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/need.h"
#include "tests/unit/unit.h"

static char *text_of(const rf_problems *problems)
{
    return rf_problems_text(problems);
}

static void a_missing_tool_is_named_with_its_package(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *tool = rf_format("%s/xorriso", directory);
    static const char *const present[] = {"cp",       "mke2fs", "mksquashfs", "mmdebstrap", "mtools",
                                          "qemu-img", "sfdisk", "unshare",    "xorriso"};
    for (size_t i = 0; i < RF_COUNT(present); i++) {
        rf_autofree char *path = rf_format("%s/%s", directory, present[i]);
        assert_int_equal(rf_write_file(path, "", 0, 0755, NULL), 0);
    }
    rf_autofree char *path = rf_format("/nonexistent::%s", directory);
    rf_autoproblems rf_problems none = {0};
    rf_need_tools(path, &none);
    assert_int_equal(none.count, 0);
    /* the system's own directories are searched as well: only what is in none of them is missing */
    if (access("/usr/bin/xorriso", X_OK) < 0 && access("/bin/xorriso", X_OK) < 0) {
        rf_autoproblems rf_problems problems = {0};
        unlink(tool);
        rf_need_tools(path, &problems);
        rf_autofree char *text = text_of(&problems);
        assert_string_equal(text, "error: xorriso is missing: apt-get install xorriso\n");
    }
    rf_autoproblems rf_problems without_path = {0};
    rf_need_tools(NULL, &without_path); /* su without a dash */
    rf_remove_tree(directory, NULL);
}

static void only_root_builds(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_need_root(0, &problems);
    assert_int_equal(problems.count, 0);
    rf_need_root(1000, &problems);
    rf_autofree char *text = text_of(&problems);
    assert_non_null(strstr(text, "an image is built by root"));
}

static void room_is_asked_where_it_will_be(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *deeper = rf_format("%s/not/there/yet", directory);
    rf_autoproblems rf_problems problems = {0};
    rf_need_room(deeper, 1, &problems);
    rf_need_room("", 1, &problems);
    rf_need_room("not-there-yet", 1, &problems);
    assert_int_equal(problems.count, 0);
    rf_need_room(deeper, UINT64_MAX, &problems);
    rf_need_room("not-there-yet", UINT64_MAX, &problems);
    assert_int_equal(problems.count, 2);
    rf_autofree char *text = text_of(&problems), *begin = rf_format("error: %s has ", directory);
    assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
    assert_non_null(strstr(text, "make room, or name another place by --cache and --output"));
    rf_remove_tree(directory, NULL);
}

static void a_missing_file_says_what_to_do(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_need_file("/proc/self/exe", "x", &problems);
    assert_int_equal(problems.count, 0);
    rf_need_file("/no/such.gpg", "apt-get install keyring", &problems);
    rf_autofree char *text = text_of(&problems);
    assert_string_equal(text, "error: /no/such.gpg is missing: apt-get install keyring\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_tool_is_named_with_its_package),
        cmocka_unit_test(only_root_builds),
        cmocka_unit_test(room_is_asked_where_it_will_be),
        cmocka_unit_test(a_missing_file_says_what_to_do),
    };
    return cmocka_run_group_tests_name("image/need", tests, NULL, NULL);
}
