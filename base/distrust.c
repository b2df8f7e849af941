/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/distrust.h"

#include "base/memory.h"
#include "base/units.h"

#include <openssl/x509_vfy.h>
#include <string.h>

bool rf_distrust_is_date(long verdict)
{
    return verdict == X509_V_ERR_CERT_NOT_YET_VALID || verdict == X509_V_ERR_CERT_HAS_EXPIRED;
}

static bool is_issuer(long verdict)
{
    static const long unknown[] = {
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,       X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
        X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,       X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE,
    };
    for (size_t i = 0; i < RF_COUNT(unknown); i++)
        if (verdict == unknown[i])
            return true;
    return false;
}

/* Without the words that stand in front of every one of libcurl's reasons. */
static const char *bare(const char *detail)
{
    static const char *const prefixes[] = {"SSL certificate problem: ", "SSL: "};
    for (size_t i = 0; i < RF_COUNT(prefixes); i++)
        if (strncmp(detail, prefixes[i], strlen(prefixes[i])) == 0)
            return detail + strlen(prefixes[i]);
    return detail;
}

char *rf_distrust_text(const char *host, long verdict, const char *detail, time_t now)
{
    rf_autofree char *clock = rf_date_text(now);
    const char *why = bare(detail);
    if (rf_distrust_is_date(verdict))
        return rf_format(
            "the certificate of %s is not valid at this machine's time, %s (%s): where that time is wrong, set "
            "the clock in the firmware's setup; where it is right, the server needs a new certificate",
            host, clock, why);
    if (is_issuer(verdict))
        return rf_format(
            "the certificate of %s is signed by nobody whom this system trusts (%s): give its CA by `richtfest "
            "image customize --ca FILE`, on an installed node by update-ca-certificates(8), or have the "
            "server use a certificate of a public CA",
            host, why);
    if (verdict == X509_V_OK)
        return rf_format(
            "the certificate of %s is for another name (%s): write a name that it holds into the URL, or have "
            "the server use one for this name",
            host, why);
    return rf_format(
        "the certificate of %s can't be accepted (%s; this machine's clock says %s): the server needs another", host,
        why, clock);
}
