/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/ident.h"
#include "tests/unit/unit.h"

#include <openssl/evp.h>

/* The project's own namespace, written down a second time: a change would make every installed node a stranger. */
#define NAMESPACE "b1f0c6a4-5a1e-4f0b-9d57-3c1d7e0a9e21"

/* UUIDv5 as RFC 9562, 5.5 has it, by libcrypto's SHA-1: another way than libuuid's. */
static void uuid5(const char *namespace, const char *name, char ret_text[RF_UUID_TEXT])
{
    unsigned char bytes[16 + 64], digest[EVP_MAX_MD_SIZE];
    for (size_t i = 0, at = 0; i < 16; i++, at += 2) {
        at += namespace[at] == '-';
        assert_int_equal(sscanf(namespace + at, "%2hhx", &bytes[i]), 1);
    }
    memcpy(bytes + 16, name, strlen(name));
    assert_int_equal(EVP_Digest(bytes, 16 + strlen(name), digest, NULL, EVP_sha1(), NULL), 1);
    digest[6] = (digest[6] & 0x0f) | 0x50;
    digest[8] = (digest[8] & 0x3f) | 0x80;
    for (size_t i = 0, at = 0; i < 16; i++, at += 2) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret_text[at++] = '-';
        snprintf(ret_text + at, 3, "%02x", digest[i]);
    }
}

/* RFC 9562, appendix A.4: the DNS namespace and www.example.com. */
static void the_test_itself_follows_the_rfc(void **state)
{
    (void)state;
    char text[RF_UUID_TEXT];
    uuid5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com", text);
    assert_string_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

static void names_derive_from_the_node(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"musterkunde-n1", "array/system"}, {"musterkunde-n1", "guest/dc1"}, {"n", ""}, {"", "x"}};
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        char node[RF_UUID_TEXT], wanted[RF_UUID_TEXT], found[RF_UUID_TEXT];
        uuid5(NAMESPACE, rows[i][0], node);
        uuid5(node, rows[i][1], wanted);
        rf_uuid(rows[i][0], rows[i][1], found);
        assert_string_equal(found, wanted);
        char mac[18], tail[18];
        rf_mac(rows[i][0], rows[i][1], mac);
        snprintf(tail, sizeof(tail), "52:54:00:%.2s:%.2s:%.2s", wanted + 30, wanted + 32, wanted + 34);
        assert_string_equal(mac, tail);
    }
}

static void random_ones_are_version_4(void **state)
{
    (void)state;
    char one[RF_UUID_TEXT], other[RF_UUID_TEXT];
    rf_uuid_random(one);
    rf_uuid_random(other);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(one), 36);
    assert_int_equal(strspn(one, "0123456789abcdef-"), 36);
    assert_int_equal(one[14], '4');
    assert_non_null(strchr("89ab", one[19]));
}

static void passwords_are_long_and_mixed(void **state)
{
    (void)state;
    size_t seen[256] = {0};
    rf_autofree char *before = rf_strdup("");
    for (unsigned i = 0; i < 2000; i++) {
        const size_t asked = i % 20;
        char *password = rf_password(asked);
        assert_int_equal(strlen(password), asked < 8 ? 8 : asked);
        assert_non_null(strpbrk(password, "ABCDEFGHJKLMNPQRSTUVWXYZ"));
        assert_non_null(strpbrk(password, "abcdefghijkmnpqrstuvwxyz"));
        assert_non_null(strpbrk(password, "23456789"));
        assert_null(strpbrk(password, "0Oo1lI")); /* what gets read aloud wrong */
        assert_string_not_equal(password, before);
        for (const char *c = password; *c; c++)
            seen[(unsigned char)*c]++;
        rf_free_secret(before);
        before = password;
    }
    size_t kinds = 0, least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < RF_COUNT(seen); i++) {
        kinds += seen[i] > 0;
        least = seen[i] && seen[i] < least ? seen[i] : least;
        most = seen[i] > most ? seen[i] : most;
    }
    assert_int_equal(kinds, 56);
    assert_true(most < 3 * least); /* digits come somewhat more often: each password has one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_itself_follows_the_rfc),
        cmocka_unit_test(names_derive_from_the_node),
        cmocka_unit_test(random_ones_are_version_4),
        cmocka_unit_test(passwords_are_long_and_mixed),
    };
    return cmocka_run_group_tests_name("base/ident", tests, NULL, NULL);
}
