/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The medium is read whole before anything is written, and what is wrong with it is named. */
#include "base/digest.h"
#include "base/file.h"
#include "image/manifest.h"
#include "tests/unit/unit.h"

struct fixture {
    char *directory;
};

static void put(const struct fixture *self, const char *path, const char *text)
{
    rf_autofree char *file = rf_format("%s%s", self->directory, path);
    rf_autofree char *above = rf_strdup(file);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(file, text, strlen(text), 0644, NULL), 0);
}

static json_t *manifest_of(const struct fixture *self, const char *const *paths, size_t count)
{
    struct rf_payload payloads[4] = {0};
    char sha256[4][RF_SHA256_HEX], xxh3[4][33];
    for (size_t i = 0; i < count; i++) {
        rf_autofree char *file = rf_format("%s%s", self->directory, paths[i]), *text = NULL;
        size_t size;
        assert_int_equal(rf_read_file(file, 1000, &text, &size, NULL), 0);
        rf_sha256(text, size, sha256[i]);
        assert_int_equal(rf_xxh3_file(file, xxh3[i], NULL, NULL, NULL), 0);
        payloads[i] = (struct rf_payload){.path = (char *)paths[i], .size = size, .sha256 = sha256[i], .xxh3 = xxh3[i]};
    }
    payloads[0].unpacked = 12345;
    payloads[0].files = 67;
    const struct rf_manifest_packages packages = {"node", "apt 3.0\nbash 5.2\n"};
    return rf_manifest_json(&(struct rf_manifest){.version = "0.1.0",
                                                  .suite = "trixie",
                                                  .kernel = "6.12-amd64",
                                                  .date = 1795054374,
                                                  .archive = "abc",
                                                  .sources = "deb x\n",
                                                  .payloads = payloads,
                                                  .payloads_count = count,
                                                  .packages = &packages,
                                                  .packages_count = 1});
}

static void start(struct fixture *self)
{
    static const char *const paths[] = {RF_MEDIUM_ROOT_FILE, "/guests/a.qcow2"};
    self->directory = unit_directory();
    put(self, paths[0], "root");
    put(self, paths[1], "guest");
    rf_autojson json_t *manifest = manifest_of(self, paths, 2);
    rf_autofree char *text = rf_json_text(manifest);
    put(self, RF_MEDIUM_MANIFEST_FILE, text);
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->directory, NULL);
    free(self->directory);
}

#define FIXTURE(self)                                                                                                  \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    start(&self)

static void last_of(void *data, uint64_t done, uint64_t total)
{
    ((uint64_t *)data)[0] = done;
    ((uint64_t *)data)[1] = total;
}

static void a_good_one_is_good(void **state)
{
    FIXTURE(self);
    uint64_t seen[2] = {0};
    assert_int_equal(rf_medium_verify(self.directory, NULL, last_of, seen, NULL), 0);
    assert_int_equal(seen[0], 9);
    assert_int_equal(seen[1], 9);
    rf_automedium rf_medium *medium = NULL;
    assert_int_equal(rf_medium_load(self.directory, &medium, NULL), 0);
    assert_string_equal(medium->kernel, "6.12-amd64");
    assert_int_equal(rf_medium_payload(medium, RF_MEDIUM_ROOT_FILE)->unpacked, 12345);
    assert_null(rf_medium_payload(medium, "/live"));
}

static void a_wrong_byte_is_named(void **state)
{
    FIXTURE(self);
    put(&self, "/guests/a.qcow2", "guesT");
    rf_error *error = NULL;
    assert_int_equal(rf_medium_verify(self.directory, NULL, NULL, NULL, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error_has(error, "the checksum of /guests/a.qcow2 on the medium is wrong");
}

static void a_wrong_size_is_named(void **state)
{
    FIXTURE(self);
    put(&self, "/guests/a.qcow2", "gues");
    rf_error *error = NULL;
    assert_int_equal(rf_medium_verify(self.directory, NULL, NULL, NULL, &error), -1);
    assert_error(
        error,
        "/guests/a.qcow2 on the medium has 4 bytes instead of 5; nothing was written; write or attach the ISO again");
}

static void a_missing_one_is_named(void **state)
{
    FIXTURE(self);
    rf_autofree char *root = rf_format("%s%s", self.directory, RF_MEDIUM_ROOT_FILE);
    unlink(root);
    rf_error *error = NULL;
    assert_int_equal(rf_medium_verify(self.directory, NULL, NULL, NULL, &error), -1);
    assert_error_has(error, "/live/root.squashfs is missing on the medium");
}

/* A base beside the recipe's image. */
static void start_with_base(struct fixture *self)
{
    static const char *const paths[] = {RF_MEDIUM_ROOT_FILE, "/guests/a.qcow2", "/guests/base-1.qcow2"};
    put(self, paths[2], "base");
    rf_autojson json_t *manifest = manifest_of(self, paths, 3);
    rf_autofree char *text = rf_json_text(manifest);
    put(self, RF_MEDIUM_MANIFEST_FILE, text);
}

static void only_what_is_needed_is_read(void **state)
{
    FIXTURE(self);
    start_with_base(&self);
    static char *const images[] = {(char *)"a.qcow2", NULL};
    const struct rf_medium_choice common = {.common = true}, rest = {.images = images},
                                  both = {.common = true, .images = images};
    uint64_t seen[2] = {0};
    assert_int_equal(rf_medium_verify(self.directory, &common, last_of, seen, NULL), 0);
    assert_int_equal(seen[1], 8);
    assert_int_equal(rf_medium_verify(self.directory, &rest, last_of, seen, NULL), 0);
    assert_int_equal(seen[1], 5);
    put(&self, "/guests/a.qcow2", "guesT");
    assert_int_equal(rf_medium_verify(self.directory, &common, NULL, NULL, NULL), 0);
    assert_int_equal(rf_medium_verify(self.directory, &rest, NULL, NULL, NULL), -1);
    assert_int_equal(rf_medium_verify(self.directory, &both, NULL, NULL, NULL), -1);
}

static void an_image_that_the_medium_does_not_have(void **state)
{
    FIXTURE(self);
    static char *const images[] = {(char *)"a.qcow2", (char *)"crm.qcow2", NULL};
    rf_error *error = NULL;
    assert_int_equal(rf_medium_verify(self.directory, &(struct rf_medium_choice){.images = images}, NULL, NULL, &error),
                     -1);
    assert_error_has(error, "needs the image crm.qcow2, which is not on this medium; nothing was written");
}

static void odd_manifests_are_refused(void **state)
{
    (void)state;
    static const char hashes[] = "\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\","
                                 "\"xxh3\":\"00000000000000000000000000000000\"";
    static const char *const payloads[] = {"",
                                           "{}",
                                           "{\"path\":\"relative\",\"size\":1,%s}",
                                           "{\"path\":\"/a/../b\",\"size\":1,%s}",
                                           "{\"path\":\"/a\",\"size\":-1,%s}",
                                           "{\"path\":\"/a\",\"size\":1,\"sha256\":\"x\",\"xxh3\":\"y\"}",
                                           "7"};
    for (size_t i = 0; i < RF_COUNT(payloads); i++) {
        rf_autofree char *whole =
            rf_format("{\"richtfest\":1,\"version\":\"1\",\"kernel\":\"k\",\"payloads\":[%s]}", payloads[i]);
        char *mark = strstr(whole, "%s");
        rf_autofree char *text =
            mark ? rf_format("%.*s%s%s", (int)(mark - whole), whole, hashes, mark + 2) : rf_strdup(whole);
        rf_autojson json_t *json = json_loads(text, 0, NULL);
        assert_non_null(json);
        rf_medium *medium = NULL;
        if (rf_medium_from_json(json, &medium, NULL) == 0)
            fail_msg("%s was taken", text);
    }
    rf_autojson json_t *later = json_pack("{s:i}", "richtfest", 2);
    rf_medium *medium = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_medium_from_json(later, &medium, &error), -1);
    assert_error(error, "the manifest has format 2, this program knows 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one_is_good),          cmocka_unit_test(a_wrong_byte_is_named),
        cmocka_unit_test(a_wrong_size_is_named),       cmocka_unit_test(a_missing_one_is_named),
        cmocka_unit_test(only_what_is_needed_is_read), cmocka_unit_test(an_image_that_the_medium_does_not_have),
        cmocka_unit_test(odd_manifests_are_refused),
    };
    return cmocka_run_group_tests_name("image/medium", tests, NULL, NULL);
}
