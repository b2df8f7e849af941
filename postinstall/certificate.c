/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates by libcrypto. */
#include "postinstall/certificate.h"

#include "base/memory.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

enum {
    SERIAL_BYTES = 16, /* RFC 5280, 4.1.2.2: at most 20; CA/Browser Forum BR 7.1: at least 64 random bits */
    DAY = 86400,
    EXTENSIONS_MAX = 5,
};

static void free_bio(BIO **bio)
{
    BIO_free_all(*bio);
}

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static void free_extension(X509_EXTENSION **extension)
{
    X509_EXTENSION_free(*extension);
}

#define autobio RF_CLEANUP(free_bio)
#define autokey RF_CLEANUP(free_key)
#define autocertificate RF_CLEANUP(free_certificate)
#define autoextension RF_CLEANUP(free_extension)

static int crypto_fail(rf_error **err, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *why = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return rf_fail(err, RF_FAILED, "%s: %s", what, why ? why : "libcrypto gives no reason");
}

static char *text_of(BIO *bio)
{
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    return rf_format("%.*s", (int)size, data);
}

static EVP_PKEY *read_key(const char *text)
{
    autobio BIO *bio = text ? BIO_new_mem_buf(text, -1) : NULL;
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
    ERR_clear_error();
    return key;
}

static X509 *read_certificate(const char *text)
{
    autobio BIO *bio = text ? BIO_new_mem_buf(text, -1) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, (void *)"") : NULL;
    ERR_clear_error();
    return certificate;
}

int rf_certificate_key(char **ret_key, rf_error **err)
{
    autokey EVP_PKEY *key = EVP_EC_gen("P-256");
    autobio BIO *bio = BIO_new(BIO_s_secmem());
    if (!key || !bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return crypto_fail(err, "making a private key");
    *ret_key = text_of(bio);
    return 0;
}

/* "DNS:a,DNS:b,IP:10.20.0.10", with `prefix` before each kind. The caller frees it; NULL for nothing. */
static char *names_text(const struct rf_certificate_request *request, const char *prefix)
{
    char *text = NULL;
    for (const char *const *host = request->hosts; host && *host; host++)
        rf_append(&text, "%s%sDNS:%s", text ? "," : "", prefix, *host);
    if (request->address)
        rf_append(&text, "%s%sIP:%s", text ? "," : "", prefix, request->address);
    return text;
}

/* An authority for these hosts and nothing else: no address, no other kind of name that a client would look at. */
static char *constraints_text(const struct rf_certificate_request *request)
{
    char *text = names_text(request, "permitted;");
    rf_append(&text, "%sexcluded;IP:0.0.0.0/0.0.0.0,excluded;IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0", text ? "," : "");
    return text;
}

struct extension {
    int nid;
    char *value;
};

static size_t extensions_of(const struct rf_certificate_request *request, struct extension ret[EXTENSIONS_MAX])
{
    size_t count = 0;
    bool server = request->kind == RF_CERTIFICATE_SERVER, root = request->kind == RF_CERTIFICATE_ROOT;
    rf_autofree char *constraints = constraints_text(request);
    char *names = server ? names_text(request, "") : NULL;
    ret[count++] = (struct extension){NID_basic_constraints, rf_strdup(server ? "critical,CA:FALSE"
                                                                       : root ? "critical,CA:TRUE,pathlen:1"
                                                                              : "critical,CA:TRUE,pathlen:0")};
    ret[count++] =
        (struct extension){NID_key_usage, rf_strdup(server ? "critical,digitalSignature"
                                                           : "critical,keyCertSign,cRLSign,digitalSignature")};
    if (!root)
        ret[count++] = (struct extension){NID_ext_key_usage, rf_strdup("serverAuth,clientAuth")};
    if (request->kind == RF_CERTIFICATE_AUTHORITY)
        ret[count++] = (struct extension){NID_name_constraints, rf_format("critical,%s", constraints)};
    if (names)
        ret[count++] = (struct extension){NID_subject_alt_name, names};
    return count;
}

static int add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    autoextension X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    return extension && X509_add_ext(certificate, extension, -1) == 1 ? 0 : -1;
}

static int add_extensions(X509 *certificate, X509 *issuer, const struct rf_certificate_request *request)
{
    struct extension wanted[EXTENSIONS_MAX];
    size_t count = extensions_of(request, wanted);
    int failed = add_extension(certificate, issuer, NID_subject_key_identifier, "hash") < 0;
    if (issuer != certificate)
        failed |= add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always") < 0;
    for (size_t i = 0; i < count; i++) {
        failed |= add_extension(certificate, issuer, wanted[i].nid, wanted[i].value) < 0;
        free(wanted[i].value);
    }
    return failed ? -1 : 0;
}

static int set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return -1;
    bytes[0] = (bytes[0] & 0x7F) | 0x40; /* positive, and always of the same length */
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set ? 0 : -1;
}

static int set_name(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) ==
                   1
               ? 0
               : -1;
}

static bool fill(X509 *certificate, const struct rf_certificate_request *request, EVP_PKEY *key, X509 *issuer,
                 EVP_PKEY *issuer_key)
{
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) == 0 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), (int)request->days, 0, NULL) &&
           X509_set_pubkey(certificate, key) == 1 && set_name(certificate, request->name) == 0 &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           add_extensions(certificate, issuer, request) == 0 && X509_sign(certificate, issuer_key, EVP_sha256()) > 0;
}

int rf_certificate_make(const struct rf_certificate_request *request, const char *key_text, const char *authority_text,
                        const char *authority_key_text, char **ret_certificate, rf_error **err)
{
    autokey EVP_PKEY *key = read_key(key_text), *authority_key = read_key(authority_key_text);
    autocertificate X509 *authority = read_certificate(authority_text), *certificate = X509_new();
    autobio BIO *bio = BIO_new(BIO_s_mem());
    if (!key || (authority_text && (!authority || !authority_key)))
        return rf_fail(err, RF_FAILED, "the certificate of %s: %s can't be read", request->name,
                       key ? "the authority" : "the key");
    if (authority && X509_check_private_key(authority, authority_key) != 1)
        return crypto_fail(err, "the authority's certificate and key do not belong together");
    if (!certificate || !bio ||
        !fill(certificate, request, key, authority ? authority : certificate, authority ? authority_key : key) ||
        PEM_write_bio_X509(bio, certificate) != 1)
        return crypto_fail(err, request->name);
    *ret_certificate = text_of(bio);
    return 0;
}

/* At least a third of its time is left, and it has begun. */
static bool in_time(const X509 *certificate)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate), *to = X509_get0_notAfter(certificate);
    int days = 0, seconds = 0, left_days = 0, left_seconds = 0;
    if (X509_cmp_current_time(from) >= 0 || ASN1_TIME_diff(&days, &seconds, from, to) != 1 ||
        ASN1_TIME_diff(&left_days, &left_seconds, NULL, to) != 1)
        return false;
    return (int64_t)left_days * DAY + left_seconds > ((int64_t)days * DAY + seconds) / 3;
}

static bool says(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    autoextension X509_EXTENSION *wanted = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    int at = X509_get_ext_by_NID(certificate, nid, -1);
    X509_EXTENSION *found = at < 0 ? NULL : X509_get_ext(certificate, at);
    return wanted && found &&
           ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(wanted), X509_EXTENSION_get_data(found)) == 0;
}

static bool has_name(X509 *certificate, const char *name)
{
    char text[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof(text));
    return strcmp(text, name) == 0;
}

bool rf_certificate_good(const char *certificate_text, const struct rf_certificate_request *request,
                         const char *authority_text)
{
    autocertificate X509 *certificate = read_certificate(certificate_text),
                         *authority = read_certificate(authority_text);
    X509 *issuer = authority ? authority : certificate;
    struct extension wanted[EXTENSIONS_MAX];
    if (!certificate || (authority_text && !authority))
        return false;
    bool good = in_time(certificate) && has_name(certificate, request->name) &&
                X509_verify(certificate, X509_get0_pubkey(issuer)) == 1 &&
                X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) == 0;
    size_t count = extensions_of(request, wanted);
    for (size_t i = 0; i < count; i++) {
        good = good && says(certificate, wanted[i].nid, wanted[i].value);
        free(wanted[i].value);
    }
    ERR_clear_error();
    return good;
}

bool rf_certificate_matches(const char *certificate_text, const char *key_text)
{
    autocertificate X509 *certificate = read_certificate(certificate_text);
    autokey EVP_PKEY *key = read_key(key_text);
    bool matches = certificate && key && X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    return matches;
}

bool rf_certificate_in_force(const char *certificate_text)
{
    autocertificate X509 *certificate = read_certificate(certificate_text);
    return certificate && X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

bool rf_certificate_signed_by(const char *certificate_text, const char *authority_text)
{
    autocertificate X509 *certificate = read_certificate(certificate_text),
                         *authority = read_certificate(authority_text);
    bool by = certificate && authority && X509_verify(certificate, X509_get0_pubkey(authority)) == 1;
    ERR_clear_error();
    return by;
}
