/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each reason says the host and its own way out. */
#include "base/distrust.h"
#include "tests/unit/unit.h"

#include <openssl/x509_vfy.h>

static void says(long verdict, const char *detail, const char *wanted)
{
    rf_autofree char *text = rf_distrust_text("ca.example:8443", verdict, detail, 978307200);
    assert_string_equal(text, wanted);
}

static void reasons(void **state)
{
    (void)state;
    says(X509_V_ERR_CERT_NOT_YET_VALID, "SSL certificate problem: certificate is not yet valid",
         "the certificate of ca.example:8443 is not valid at this machine's time, 2001-01-01 00:00 UTC (certificate is "
         "not yet "
         "valid): where that time is wrong, set the clock in the firmware's setup; where it is right, the server needs "
         "a new "
         "certificate");
    says(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
         "SSL certificate problem: unable to get local issuer certificate",
         "the certificate of ca.example:8443 is signed by nobody whom this system trusts (unable to get local issuer "
         "certificate): give its CA by `richtfest image customize --ca FILE`, on an installed node by "
         "update-ca-certificates(8), or have the server use a certificate of a public CA");
    says(X509_V_OK, "SSL: no alternative certificate subject name matches target host name 'ca.example'",
         "the certificate of ca.example:8443 is for another name (no alternative certificate subject name matches "
         "target "
         "host name 'ca.example'): write a name that it holds into the URL, or have the server use one for this name");
    says(X509_V_ERR_CERT_REVOKED, "SSL certificate problem: certificate revoked",
         "the certificate of ca.example:8443 can't be accepted (certificate revoked; this machine's clock says "
         "2001-01-01 "
         "00:00 UTC): the server needs another");
}

static void only_dates_are_a_matter_of_the_clock(void **state)
{
    (void)state;
    assert_true(rf_distrust_is_date(X509_V_ERR_CERT_NOT_YET_VALID));
    assert_true(rf_distrust_is_date(X509_V_ERR_CERT_HAS_EXPIRED));
    assert_false(rf_distrust_is_date(X509_V_OK));
    assert_false(rf_distrust_is_date(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons),
        cmocka_unit_test(only_dates_are_a_matter_of_the_clock),
    };
    return cmocka_run_group_tests_name("base/distrust", tests, NULL, NULL);
}
