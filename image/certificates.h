/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates of further CAs, as a person has them: PEM, one after the other in one file. */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <time.h>

#define RF_CA_MAX (48U << 10) /* bytes of PEM; with a profile of RF_PROFILE_MAX it still fits into the region */
#define RF_CERTIFICATES_MAX 32

struct rf_certificate {
    char *subject; /* RFC 2253, "CN=Example CA,O=Example"; on one line, without control characters */
    time_t from, until;
    char *pem; /* as openssl-x509(1) writes it, newline at the end: nothing of the file's other text is left in it */
};

typedef struct rf_certificates {
    struct rf_certificate *list;
    size_t count;
} rf_certificates;

/* All certificates of a PEM text, in its order. RF_USAGE, with what to do: none in it, more than RF_CERTIFICATES_MAX, larger than
 * RF_CA_MAX, one that can't be read, or a private key, which no medium must ever carry. Pure. */
int rf_certificates_read(const char *text, size_t size, rf_certificates *ret, rf_error **err);

/* All of them as one PEM text. The caller frees it. */
char *rf_certificates_pem(const rf_certificates *certificates);

void rf_certificates_clear(rf_certificates *certificates);
#define rf_autocertificates RF_CLEANUP(rf_certificates_clear)
