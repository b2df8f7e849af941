/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "installer/undelivered.h"
#include "tests/unit/unit.h"

static void assert_says(const char *spool, json_int_t count, const char *text)
{
    rf_autojson json_t *report = rf_undelivered_json(spool);
    assert_non_null(report);
    assert_int_equal(rf_json_integer(report, "undelivered", -1), count);
    rf_autofree char *said = rf_undelivered_text(report);
    assert_string_equal(said, text);
}

static void what_waits_is_said(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory();
    rf_autofree char *spool = rf_format("%s/spool", directory);
    assert_says(spool, 0, "");
    rf_write_file(spool, "{\"time\":\"T1\"}\n", 14, 0600, NULL);
    assert_says(spool, 1, "report.url: 1 event not delivered since T1\n");
    rf_write_file(spool, "{\"time\":\"T1\"}\n{\"time\":\"T2\"}\n", 28, 0600, NULL);
    assert_says(spool, 2, "report.url: 2 events not delivered since T1\n");
    rf_write_file(spool, "rubbish\n", 8, 0600, NULL);
    assert_says(spool, 1, "report.url: 1 event not delivered\n");
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_waits_is_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
