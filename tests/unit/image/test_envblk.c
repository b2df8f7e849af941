/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GRUB's environment block, byte for byte. */
#include "image/envblk.h"
#include "tests/unit/unit.h"

static void block_is_as_grub_wants_it(void **state)
{
    (void)state;
    char block[RF_ENVBLK_SIZE];
    const struct rf_envblk_variable one = {"richtfest_source", "6f5a3c1e"};
    assert_int_equal(rf_envblk_format(&one, 1, block, NULL), 0);
    static const char begin[] = "# GRUB Environment Block\nrichtfest_source=6f5a3c1e\n####";
    assert_memory_equal(block, begin, sizeof(begin) - 1);
    assert_int_equal(block[RF_ENVBLK_SIZE - 1], '#');
    assert_true(rf_envblk_valid(block, sizeof(block)));
}

static void values_come_back(void **state)
{
    (void)state;
    char block[RF_ENVBLK_SIZE];
    const struct rf_envblk_variable both[] = {{"a", "back\\slash and\nnewline"}, {"ab", ""}};
    assert_int_equal(rf_envblk_format(both, 2, block, NULL), 0);
    rf_autofree char *a = rf_envblk_get(block, sizeof(block), "a");
    rf_autofree char *ab = rf_envblk_get(block, sizeof(block), "ab");
    assert_string_equal(a, "back\\slash and\nnewline");
    assert_string_equal(ab, "");
    assert_null(rf_envblk_get(block, sizeof(block), "b"));
    assert_null(rf_envblk_get(block, sizeof(block), "newline"));
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    char block[RF_ENVBLK_SIZE] = "untouched", value[RF_ENVBLK_SIZE];
    /* signature (25), "x=", value, newline */
    memset(value, 'v', sizeof(value));
    value[RF_ENVBLK_SIZE - 28] = '\0';
    assert_int_equal(rf_envblk_format(&(struct rf_envblk_variable){"x", value}, 1, block, NULL), 0);
    value[RF_ENVBLK_SIZE - 28] = 'v';
    value[RF_ENVBLK_SIZE - 27] = '\0';
    strcpy(block, "untouched");
    rf_error *error = NULL;
    assert_int_equal(rf_envblk_format(&(struct rf_envblk_variable){"x", value}, 1, block, &error), -1);
    assert_error(error, "GRUB's environment block has room for 1024 bytes; these are 1025");
    assert_string_equal(block, "untouched");
}

static void odd_names_are_refused(void **state)
{
    (void)state;
    char block[RF_ENVBLK_SIZE];
    static const char *const names[] = {"", "1a", "a b", "a=b", "ä"};
    for (size_t i = 0; i < RF_COUNT(names); i++)
        assert_int_equal(rf_envblk_format(&(struct rf_envblk_variable){names[i], "x"}, 1, block, NULL), -1);
}

static void rubbish_holds_nothing(void **state)
{
    (void)state;
    assert_null(rf_envblk_get("a=b\n", 4, "a"));
    static const char cut[] = "# GRUB Environment Block\na=b\\"; /* ends inside an escape */
    rf_autofree char *value = rf_envblk_get(cut, sizeof(cut) - 1, "a");
    assert_string_equal(value, "b\\");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_is_as_grub_wants_it),    cmocka_unit_test(values_come_back),
        cmocka_unit_test(what_does_not_fit_is_refused), cmocka_unit_test(odd_names_are_refused),
        cmocka_unit_test(rubbish_holds_nothing),
    };
    return cmocka_run_group_tests_name("image/envblk", tests, NULL, NULL);
}
