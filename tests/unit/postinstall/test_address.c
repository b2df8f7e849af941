/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "postinstall/address.h"
#include "tests/unit/unit.h"

static void addresses_follow_from_the_subnet(void **state)
{
    (void)state;
    struct rf_subnet subnet;
    assert_int_equal(rf_subnet_parse("10.20.0.0/24", &subnet, NULL), 0);
    rf_autofree char *node = rf_subnet_node(&subnet), *guest = rf_subnet_guest(&subnet, 0);
    rf_autofree char *first = rf_subnet_dhcp_first(&subnet), *last = rf_subnet_dhcp_last(&subnet);
    assert_string_equal(node, "10.20.0.1");
    assert_string_equal(guest, "10.20.0.10");
    assert_string_equal(first, "10.20.0.128");
    assert_string_equal(last, "10.20.0.254");
    assert_int_equal(rf_subnet_guests_max(&subnet), 118);
}

static void the_smallest_subnet_keeps_guests_and_dhcp_apart(void **state)
{
    (void)state;
    struct rf_subnet subnet;
    assert_int_equal(rf_subnet_parse("192.168.7.32/27", &subnet, NULL), 0);
    assert_int_equal(rf_subnet_guests_max(&subnet), 6);
    rf_autofree char *last_guest = rf_subnet_guest(&subnet, 5), *first = rf_subnet_dhcp_first(&subnet);
    assert_string_equal(last_guest, "192.168.7.47");
    assert_string_equal(first, "192.168.7.48");
}

static void wrong_subnets_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",           "10.20.0.0",      "10.20.0.0/", "10.20.0.0/28",  "10.20.0.0/8",
                                        "10.20.0/24", "10.20.0.256/24", "fd00::/64",  "10.20.0.0/24x", "10.20.0.0/240"};
    struct rf_subnet subnet = {1, 2};
    for (size_t i = 0; i < RF_COUNT(wrong); i++)
        if (rf_subnet_parse(wrong[i], &subnet, NULL) == 0)
            fail_msg("'%s' was taken", wrong[i]);
    assert_int_equal(subnet.network, 1); /* never touched on failure */
    rf_error *error = NULL;
    assert_int_equal(rf_subnet_parse("10.20.0.5/24", &subnet, &error), -1);
    assert_error_has(error, "write 10.20.0.0/24");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_follow_from_the_subnet),
        cmocka_unit_test(the_smallest_subnet_keeps_guests_and_dhcp_apart),
        cmocka_unit_test(wrong_subnets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
