/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/digest.h"
#include "base/file.h"
#include "tests/unit/unit.h"

/* The examples of FIPS 180-2, appendix B, and the empty message. */
static const struct {
    const char *text, *hex;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};
#define MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static char *file_of(const char *name, const void *bytes, size_t size)
{
    char *path = rf_format("%s/%s", unit_scratch(), name);
    assert_int_equal(rf_write_file(path, bytes, size, 0600, NULL), 0);
    return path;
}

static void known_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < RF_COUNT(vectors); i++) {
        char memory[RF_SHA256_HEX], file[RF_SHA256_HEX];
        rf_autofree char *path = file_of("vector", vectors[i].text, strlen(vectors[i].text));
        rf_sha256(vectors[i].text, strlen(vectors[i].text), memory);
        assert_int_equal(rf_sha256_file(path, file, NULL, NULL, NULL), 0);
        assert_string_equal(memory, vectors[i].hex);
        assert_string_equal(file, vectors[i].hex);
    }
}

static void last_done(void *data, uint64_t done)
{
    *(uint64_t *)data = done;
}

/* A million bytes in front of a part that is longer than one chunk, and something behind it. */
static void a_part_is_hashed_alone(void **state)
{
    (void)state;
    enum { A = 1000000, B = 3 << 20 };
    rf_autofree char *bytes = rf_alloc(A + B + 1);
    memset(bytes, 'a', A);
    memset(bytes + A, 'b', B);
    bytes[A + B] = 'c';
    rf_autofree char *path = file_of("parts", bytes, A + B + 1);
    char found[RF_SHA256_HEX], wanted[RF_SHA256_HEX];
    assert_int_equal(rf_sha256_part(path, 0, A, found, NULL), 0);
    assert_string_equal(found, MILLION_A);
    rf_sha256(bytes + A, B, wanted);
    assert_int_equal(rf_sha256_part(path, A, B, found, NULL), 0);
    assert_string_equal(found, wanted);
    uint64_t done = 0;
    rf_sha256(bytes, A + B + 1, wanted);
    assert_int_equal(rf_sha256_file(path, found, last_done, &done, NULL), 0);
    assert_string_equal(found, wanted);
    assert_int_equal(done, A + B + 1);
}

static void what_can_not_be_read_has_no_checksum(void **state)
{
    (void)state;
    rf_autofree char *path = file_of("short", "abc", 3);
    char found[RF_SHA256_HEX] = "untouched";
    rf_error *error = NULL;
    assert_int_equal(rf_sha256_part(path, 1, 3, found, &error), -1);
    assert_error_has(error, "short ends 1 bytes early");
    assert_int_equal(rf_sha256_file("/no/such/file", found, NULL, NULL, &error), -1);
    assert_error(error, "/no/such/file can't be opened: No such file or directory");
    assert_string_equal(found, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(a_part_is_hashed_alone),
        cmocka_unit_test(what_can_not_be_read_has_no_checksum),
    };
    return cmocka_run_group_tests_name("base/digest", tests, unit_scratch_open, unit_scratch_close);
}
