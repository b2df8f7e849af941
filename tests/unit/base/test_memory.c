/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

/* The capacity is derived from the count, so an array may be taken up again anywhere. */
static void an_array_grows_and_is_zeroed(void **state)
{
    (void)state;
    struct row {
        unsigned number;
        char *text;
    } *rows = NULL;
    size_t count = 0;
    for (unsigned i = 0; i < 1000; i++) {
        struct row *row = rf_array_add(&rows, &count, sizeof(*row));
        assert_ptr_equal(row, &rows[i]);
        assert_null(row->text);
        assert_int_equal(row->number, 0);
        *row = (struct row){i + 1, (char *)"x"};
    }
    assert_int_equal(count, 1000);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(rows[i].number, i + 1);
    free(rows);
}

static void texts_grow(void **state)
{
    (void)state;
    char *text = NULL;
    rf_append(&text, "%s", "");
    assert_string_equal(text, "");
    rf_append(&text, "%d %%", 5);
    rf_append(&text, " of %s", text); /* its own content, which is freed only afterwards */
    assert_string_equal(text, "5 % of 5 %");
    free(text);
    assert_null(rf_strdup(NULL));
    rf_free_secret(NULL);
    rf_autofree char *none = rf_alloc(0), *zeroes = rf_alloc(64);
    assert_non_null(none);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(zeroes[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_grows_and_is_zeroed),
        cmocka_unit_test(texts_grow),
    };
    return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
