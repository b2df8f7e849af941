/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/certificates.h"

#include "base/memory.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static void rf_guard_bio(BIO **bio)
{
    BIO_free_all(*bio);
}

static void rf_guard_x509(X509 **certificate)
{
    X509_free(*certificate);
}

void rf_certificates_clear(rf_certificates *certificates)
{
    for (size_t i = 0; i < certificates->count; i++) {
        free(certificates->list[i].subject);
        free(certificates->list[i].pem);
    }
    free(certificates->list);
    *certificates = (rf_certificates){0};
}

/* What was written into a memory BIO. */
static char *text_of(BIO *bio)
{
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    return rf_format("%.*s", (int)size, data ? data : "");
}

static char *subject_of(X509 *certificate)
{
    RF_CLEANUP(rf_guard_bio) BIO *out = BIO_new(BIO_s_mem());
    /* XN_FLAG_RFC2253 escapes what is not printable, so that a name can't paint on a console */
    if (!out || X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0)
        abort();
    return text_of(out);
}

static time_t seconds_of(const ASN1_TIME *time)
{
    struct tm utc;
    return ASN1_TIME_to_tm(time, &utc) == 1 ? timegm(&utc) : 0;
}

static void add(rf_certificates *certificates, X509 *certificate)
{
    RF_CLEANUP(rf_guard_bio) BIO *out = BIO_new(BIO_s_mem());
    if (!out || PEM_write_bio_X509(out, certificate) != 1)
        abort();
    struct rf_certificate *added = rf_array_add(&certificates->list, &certificates->count, sizeof(*certificates->list));
    *added = (struct rf_certificate){.subject = subject_of(certificate),
                                     .from = seconds_of(X509_get0_notBefore(certificate)),
                                     .until = seconds_of(X509_get0_notAfter(certificate)),
                                     .pem = text_of(out)};
}

/* 1: one more, 0: the end, -1: one that can't be read. */
static int read_next(BIO *in, rf_certificates *certificates)
{
    RF_CLEANUP(rf_guard_x509) X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
    if (certificate) {
        add(certificates, certificate);
        return 1;
    }
    const unsigned long why = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE ? 0 : -1;
}

static int read_all(const char *text, size_t size, rf_certificates *certificates, rf_error **err)
{
    RF_CLEANUP(rf_guard_bio) BIO *in = BIO_new_mem_buf(text, (int)size);
    int more = 1;
    if (!in)
        abort();
    ERR_clear_error();
    while (more > 0 && certificates->count <= RF_CERTIFICATES_MAX)
        more = read_next(in, certificates);
    if (more < 0)
        return rf_fail(err, RF_USAGE, "certificate %zu in it can't be read", certificates->count + 1);
    if (certificates->count > RF_CERTIFICATES_MAX)
        return rf_fail(err, RF_USAGE, "it holds more than %d certificates: only the CA's own is needed",
                       RF_CERTIFICATES_MAX);
    if (certificates->count == 0)
        return rf_fail(err, RF_USAGE,
                       "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----); "
                       "`openssl x509 -inform DER -in FILE` converts one in DER");
    return 0;
}

int rf_certificates_read(const char *text, size_t size, rf_certificates *ret, rf_error **err)
{
    if (size > RF_CA_MAX)
        return rf_fail(err, RF_USAGE, "it is larger than the %u bytes that the ISO has room for", RF_CA_MAX);
    if (memmem(text, size, "PRIVATE KEY-----", 16))
        return rf_fail(err, RF_USAGE, "it holds a private key, which belongs on no medium: give the certificate alone");
    rf_autocertificates rf_certificates found = {0};
    if (read_all(text, size, &found, err) < 0)
        return -1;
    *ret = found;
    found = (rf_certificates){0};
    return 0;
}

char *rf_certificates_pem(const rf_certificates *certificates)
{
    char *text = NULL;
    for (size_t i = 0; i < certificates->count; i++)
        rf_append(&text, "%s", certificates->list[i].pem);
    return text;
}
