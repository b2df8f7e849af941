/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person gives as a CA: certificates and nothing else get through. */
#include "base/units.h"
#include "image/certificates.h"
#include "tests/unit/certificates.h"
#include "tests/unit/unit.h"

static void several_are_read_in_their_order(void **state)
{
    (void)state;
    const char text[] = "Our CA, call 4711 for more\n" UNIT_CA_TWO "\nand the other\n\n" UNIT_CA_ONE "the end\n";
    rf_autocertificates rf_certificates found = {0};
    assert_int_equal(rf_certificates_read(text, strlen(text), &found, NULL), 0);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.list[0].subject, "CN=CA two,O=Musterfirma");
    assert_string_equal(found.list[1].subject, "CN=CA one,O=Musterfirma");
    rf_autofree char *from = rf_date_text(found.list[1].from), *until = rf_date_text(found.list[1].until);
    assert_string_equal(from, "2026-11-21 14:29 UTC");
    assert_string_equal(until, "2126-10-28 14:29 UTC");
    rf_autofree char *pem = rf_certificates_pem(&found);
    assert_string_equal(pem, UNIT_CA_TWO UNIT_CA_ONE); /* nothing of the text around them */
}

static void refuse(const char *text, const char *why)
{
    rf_certificates found = {0};
    rf_error *error = NULL;
    assert_int_equal(rf_certificates_read(text, strlen(text), &found, &error), -1);
    assert_int_equal(rf_error_code(error), RF_USAGE);
    assert_error_has(error, why);
    assert_int_equal(found.count, 0);
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    refuse("", "no certificate in PEM");
    refuse("\x30\x82\x01\x0a", "no certificate in PEM");
    refuse(UNIT_CA_ONE "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n", "holds a private key");
    refuse("-----BEGIN RSA PRIVATE KEY-----\n", "holds a private key");
    refuse(UNIT_CA_ONE "-----BEGIN CERTIFICATE-----\nMIGH\n-----END CERTIFICATE-----\n",
           "certificate 2 in it can't be read");
    refuse("-----BEGIN CERTIFICATE-----\nMIGH\n", "certificate 1 in it can't be read");
}

static void limits(void **state)
{
    (void)state;
    rf_autofree char *many = NULL;
    for (size_t i = 0; i < RF_CERTIFICATES_MAX; i++)
        rf_append(&many, "%s", UNIT_CA_ONE);
    rf_autocertificates rf_certificates found = {0};
    assert_int_equal(rf_certificates_read(many, strlen(many), &found, NULL), 0);
    assert_int_equal(found.count, RF_CERTIFICATES_MAX);
    rf_append(&many, "%s", UNIT_CA_TWO);
    refuse(many, "more than 32 certificates");
    rf_autofree char *large = rf_alloc(RF_CA_MAX + 2);
    memset(large, '\n', RF_CA_MAX + 1);
    refuse(large, "larger than the 49152 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_are_read_in_their_order),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests_name("image/certificates", tests, NULL, NULL);
}
