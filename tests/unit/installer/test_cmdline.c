/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/cmdline.h"
#include "tests/unit/unit.h"

static void check(const char *line, const char *name, const char *wanted)
{
    rf_autofree char *value = rf_cmdline_value(line, name);
    if (!wanted)
        assert_null(value);
    else
        assert_string_equal(value, wanted);
}

static void test_values(void **state)
{
    (void)state;
    check("quiet richtfest.profile=http://h/p.yaml ro\n", "richtfest.profile", "http://h/p.yaml");
    check("a=1 a=2", "a", "2");
    check("ab=1", "a", NULL);
    check("a", "a", NULL);
    check("", "a", NULL);
    check("a=\"x y\" b=2", "a", "x y");
    check("\"a=x y\" b=2", "a", "x y");
    check("\"a=x y\" b=2", "b", "2");
    check("a=", "a", "");
    check("a=x?b=c=d", "a", "x?b=c=d");
}

static void test_kept(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"BOOT_IMAGE=(cd0)/boot/vmlinuz console=ttyS1,115200 nomodeset --- richtfest.medium=RF quiet\n",
         "console=ttyS1,115200 nomodeset"},
        {"BOOT_IMAGE=/boot/vmlinuz --- quiet", ""},
        {"BOOT_IMAGE=/boot/vmlinuz quiet richtfest.profile=http://h/?token=t", ""},
        {"a --- b --- c", "a"},
        {"", ""},
    };
    for (size_t i = 0; i < RF_COUNT(lines); i++) {
        rf_autofree char *kept = rf_cmdline_kept_of(lines[i][0]);
        assert_string_equal(kept, lines[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_kept)};
    return cmocka_run_group_tests_name("installer/cmdline", tests, NULL, NULL);
}
