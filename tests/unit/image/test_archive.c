/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rest of it (asked once, kept, without updates, not to be reached) is seen by test_build.c. */
#include "image/archive.h"
#include "tests/unit/unit.h"

static void the_date_of_a_release(void **state)
{
    (void)state;
    setenv("TZ", "America/New_York", 1); /* it is UTC wherever this runs */
    tzset();
    static const struct {
        const char *text;
        time_t date;
    } rows[] = {
        {"Origin: Debian\nDate: Sat, 21 Nov 2026 02:30:00 UTC\nValid-Until: Sat, 28 Nov 2026 02:30:00 UTC\n",
         1795228200},
        {"Date: Thu, 01 Jan 1970 00:00:01 UTC\n", 1},
        {"Valid-Until: x\nX-Date: Sat, 21 Nov 2026 02:30:00 UTC\n", 0},
        {"Date: yesterday\n", 0},
        {"Date:", 0},
        {"no newline", 0},
        {"", 0},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++)
        assert_int_equal(rf_archive_date(rows[i].text), rows[i].date);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_date_of_a_release)};
    return cmocka_run_group_tests_name("image/archive", tests, NULL, NULL);
}
