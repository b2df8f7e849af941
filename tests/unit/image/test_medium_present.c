/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A medium that is gone is noticed, whatever was read of it before. */
#include "base/file.h"
#include "image/medium.h"
#include "image/medium_present.h"
#include "tests/unit/unit.h"

#include <unistd.h>

#define ZEROS "00000000000000000000000000000000"

static const char manifest[] =
    "{\"richtfest\":1,\"version\":\"1\",\"kernel\":\"k\",\"payloads\":["
    "{\"path\":\"/large\",\"size\":300000,\"sha256\":\"" ZEROS ZEROS "\",\"xxh3\":\"" ZEROS "\"},"
    "{\"path\":\"/small\",\"size\":3,\"sha256\":\"" ZEROS ZEROS "\",\"xxh3\":\"" ZEROS "\"},"
    "{\"path\":\"/empty\",\"size\":0,\"sha256\":\"" ZEROS ZEROS "\",\"xxh3\":\"" ZEROS "\"}]}";

struct fixture {
    char *directory;
};

static void put(const struct fixture *self, const char *name, const void *data, size_t size)
{
    rf_autofree char *path = rf_format("%s%s", self->directory, name);
    assert_int_equal(rf_write_file(path, data, size, 0644, NULL), 0);
}

static void start(struct fixture *self)
{
    rf_autofree char *large = rf_alloc(300000);
    self->directory = unit_directory();
    rf_autofree char *folder = rf_format("%s/richtfest", self->directory);
    assert_int_equal(rf_make_dirs(folder, 0755, NULL), 0);
    put(self, RF_MEDIUM_MANIFEST_FILE, manifest, strlen(manifest));
    put(self, "/large", large, 300000);
    put(self, "/small", "abc", 3);
    put(self, "/empty", "", 0);
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

static void one_that_is_there(void **state)
{
    FIXTURE(self);
    assert_int_equal(rf_medium_present(self.directory, NULL), 0);
    assert_int_equal(rf_medium_present(self.directory, NULL), 0);
}

static void one_that_is_gone(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    assert_int_equal(rf_medium_present("/nowhere", &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    rf_error_free(error);
}

static void a_payload_that_is_gone(void **state)
{
    FIXTURE(self);
    rf_autofree char *path = rf_format("%s/small", self.directory);
    rf_error *error = NULL;
    unlink(path);
    assert_int_equal(rf_medium_present(self.directory, &error), -1);
    assert_error(error, "/small on the medium can't be read: No such file or directory");
}

static void a_payload_that_ends_too_early(void **state)
{
    FIXTURE(self);
    rf_error *error = NULL;
    put(&self, "/large", "abc", 3);
    assert_int_equal(rf_medium_present(self.directory, &error), -1);
    assert_error(error, "/large on the medium can't be read: Input/output error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_there),
        cmocka_unit_test(one_that_is_gone),
        cmocka_unit_test(a_payload_that_is_gone),
        cmocka_unit_test(a_payload_that_ends_too_early),
    };
    return cmocka_run_group_tests_name("image/medium_present", tests, NULL, NULL);
}
