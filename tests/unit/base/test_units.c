/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/units.h"
#include "tests/unit/unit.h"

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {
        {"4 TB", UINT64_C(4000000000000)},
        {"512MiB", 512 * RF_MIB},
        {"1.5 GiB", RF_GIB * 3 / 2},
        {"0 B", 0},
        {"2 GB", 2000000000},
        {"4096 B", 4096},
        {"1 kB", 1000},
        {"8 PiB", RF_TIB << 13},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        uint64_t bytes = 1;
        assert_int_equal(rf_parse_size(rows[i].text, &bytes, NULL), 0);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"",      "24",    "GB",    "-1 GB", "1e3 GB",     "inf GB",   "0x10 GB", "1 gb",
                                       "1. GB", ".5 GB", "1 GBs", "1  G",  "9000 PB000", "99999 PB", "1 GB "};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        uint64_t bytes = 7;
        rf_error *error = NULL;
        if (rf_parse_size(rows[i], &bytes, &error) == 0)
            fail_msg("\"%s\" was taken", rows[i]);
        assert_int_equal(bytes, 7);
        assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
        rf_error_free(error);
    }
}

static void test_message_shows_the_way(void **state)
{
    (void)state;
    uint64_t bytes;
    rf_error *error = NULL;
    rf_parse_size("24", &bytes, &error);
    assert_error(error, "\"24\" has no unit; write for example \"24 GB\"");
}

static void check(char *text, const char *wanted)
{
    assert_string_equal(text, wanted);
    free(text);
}

static void test_texts(void **state)
{
    (void)state;
    check(rf_size_text(0), "0 B");
    check(rf_size_text(999), "999 B");
    check(rf_size_text(UINT64_C(4000787030016)), "4.00 TB");
    check(rf_size_text(999999), "1.00 MB");
    check(rf_size_text_binary(RF_GIB * 32), "32.0 GiB");
    check(rf_seconds_text(7.24), "7.2 s");
    check(rf_seconds_text(185), "3 min 05 s");
    check(rf_seconds_text(59.97), "1 min 00 s");
    check(rf_date_text(0), "1970-01-01 00:00 UTC");
    check(rf_date_text(1795269720), "2026-11-21 14:02 UTC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_message_shows_the_way),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests_name("base/units", tests, NULL, NULL);
}
