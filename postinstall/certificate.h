/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * X.509 certificates with EC P-256 keys (libcrypto), as PEM texts: made, and looked at. No file is touched here. What a
 * certificate says follows RFC 5280; hosts are names that were checked before.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

enum rf_certificate_kind {
    RF_CERTIFICATE_ROOT,      /* signs itself and others */
    RF_CERTIFICATE_AUTHORITY, /* signed by the root; signs certificates for its hosts only (RFC 5280, 4.2.1.10) */
    RF_CERTIFICATE_SERVER,    /* for its hosts and its address; a client's too */
};

struct rf_certificate_request {
    enum rf_certificate_kind kind;
    const char *name;         /* common name, for people */
    const char *const *hosts; /* NULL-terminated; or NULL */
    const char *address;      /* IPv4, or NULL */
    unsigned days;            /* how long it is valid; it begins a day before, because clocks differ */
};

/* A new private key (PKCS#8); the caller frees it by rf_free_secret. */
int rf_certificate_key(char **ret_key, rf_error **err);

/* A certificate over the public half of `key`, signed by `authority_key` with `authority` as the issuer; both NULL: by itself. The
 * serial number is random. The caller frees it. */
int rf_certificate_make(const struct rf_certificate_request *request, const char *key, const char *authority,
                        const char *authority_key, char **ret_certificate, rf_error **err);

/* Is `certificate` what `request` asks for, signed by `authority` (NULL: by itself), valid now, and has it at least a third of its
 * time left? False for NULL and for what can't be read. */
bool rf_certificate_good(const char *certificate, const struct rf_certificate_request *request, const char *authority);

/* Do key and certificate belong together? False for NULL. */
bool rf_certificate_matches(const char *certificate, const char *key);

/* Is it valid now, however little of its time is left? False for NULL and for what can't be read. */
bool rf_certificate_in_force(const char *certificate);

/* Did the authority itself sign it? (One that another authority signed in between it did not.) False for NULL and for what can't be read. */
bool rf_certificate_signed_by(const char *certificate, const char *authority);
