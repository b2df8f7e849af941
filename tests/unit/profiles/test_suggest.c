/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "profiles/suggest.h"
#include "tests/unit/unit.h"

static void distances(void **state)
{
    (void)state;
    assert_int_equal(rf_edit_distance("", ""), 0);
    assert_int_equal(rf_edit_distance("", "abc"), 3);
    assert_int_equal(rf_edit_distance("count", "count"), 0);
    assert_int_equal(rf_edit_distance("cuont", "count"), 1); /* a swap is one mistake */
    assert_int_equal(rf_edit_distance("hostname", "HostNmae"), 1);
    assert_int_equal(rf_edit_distance("kitten", "sitting"), 3);
    assert_int_equal(rf_edit_distance("sitting", "kitten"), 3);
}

static void distance_is_bounded(void **state)
{
    (void)state;
    char word[RF_SUGGEST_MAX + 2];
    memset(word, 'a', sizeof(word));
    word[RF_SUGGEST_MAX] = '\0';
    assert_int_equal(rf_edit_distance(word, "a"), RF_SUGGEST_MAX - 1);
    word[RF_SUGGEST_MAX] = 'a';
    word[RF_SUGGEST_MAX + 1] = '\0';
    assert_true(rf_edit_distance(word, "a") == SIZE_MAX);
    assert_true(rf_edit_distance("a", word) == SIZE_MAX);
    assert_null(rf_suggest(word, (const char *const[]){word}, 1));
}

static const char *suggest(const char *word)
{
    static const char *const keys[] = {"name", "recipe", NULL, "cores", "memory", "disk", "settings", "ssh_keys", "id"};
    return rf_suggest(word, keys, RF_COUNT(keys));
}

static void near_words(void **state)
{
    (void)state;
    assert_string_equal(suggest("nmae"), "name");
    assert_string_equal(suggest("NAME"), "name");
    assert_string_equal(suggest("ssh-key"), "ssh_keys");
    assert_string_equal(suggest("di"), "id");
    assert_string_equal(suggest("mem"), "memory");
    assert_string_equal(suggest("keys"), "ssh_keys");
}

static void far_words(void **state)
{
    (void)state;
    assert_null(suggest(""));
    assert_null(suggest("colour"));
    assert_null(suggest("x"));
    assert_null(suggest("zz"));
    assert_null(rf_suggest("res", (const char *const[]){"cores-a", "resource"}, 2)); /* two hold it: neither is meant */
    assert_null(rf_suggest("name", NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(distance_is_bounded),
        cmocka_unit_test(near_words),
        cmocka_unit_test(far_words),
    };
    return cmocka_run_group_tests_name("profiles/suggest", tests, NULL, NULL);
}
