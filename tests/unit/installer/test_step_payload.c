/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is copied from a medium, and what is not copied again. */
#include "base/file.h"
#include "image/medium.h"
#include "installer/deploy.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static const struct rf_step step = {.id = (char *)"payload", .title = (char *)"payload"};

struct fixture {
    char *top, *base;
    rf_deploy deploy;
    struct rf_step_env env;
};

static void put(const struct fixture *self, const char *below, const char *text)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    assert_int_equal(rf_write_file(path, text, strlen(text), 0644, NULL), 0);
}

/* One image on the medium, and the manifest that says what it is. */
static void put_image(const struct fixture *self, const char *name, const char *text)
{
    rf_autofree char *below = rf_format("medium/guests/%s", name), *path = rf_format("%s/%s", self->top, below);
    char xxh3[33];
    put(self, below, text);
    assert_int_equal(rf_xxh3_file(path, xxh3, NULL, NULL, NULL), 0);
    rf_autofree char *manifest = rf_format(
        "{\"richtfest\":1,\"version\":\"0\",\"kernel\":\"k\",\"payloads\":[{\"path\":\"/guests/%s\",\"size\":%zu,"
        "\"sha256\":\"%064d\",\"xxh3\":\"%s\"}]}",
        name, strlen(text), 0, xxh3);
    put(self, "medium/richtfest/manifest.json", manifest);
}

static void start(struct fixture *self)
{
    static const char *const directories[] = {"medium/guests", "medium/richtfest", "target"};
    *self = (struct fixture){.top = unit_directory()};
    for (size_t i = 0; i < RF_COUNT(directories); i++) {
        rf_autofree char *path = rf_format("%s/%s", self->top, directories[i]);
        assert_int_equal(rf_make_dirs(path, 0755, NULL), 0);
    }
    self->deploy =
        (rf_deploy){.medium = rf_format("%s/medium", self->top), .target = rf_format("%s/target", self->top)};
    self->base = rf_deploy_images(&self->deploy, "/base");
    self->env.step = &step;
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->top, NULL);
    free(self->top);
    free(self->base);
    free(self->deploy.medium);
    free(self->deploy.target);
}

static void holds(const struct fixture *self, const char *name, const char *wanted)
{
    rf_autofree char *path = rf_format("%s/%s", self->base, name), *text = NULL;
    assert_int_equal(rf_read_file(path, 1000, &text, NULL, NULL), 0);
    assert_string_equal(text, wanted);
}

static bool no_attributes(const struct fixture *self)
{
    return setxattr(self->top, "user.richtfest.test", "1", 1, 0) < 0 && errno == ENOTSUP;
}

static void other_bytes_of_the_same_size_are_copied(void **state)
{
    (void)state;
    RF_CLEANUP(finish) struct fixture self;
    start(&self);
    if (no_attributes(&self))
        skip();
    put_image(&self, "ad.qcow2", "one");
    assert_int_equal(rf_step_payload.apply(&self.env, &self.deploy, NULL), 0);
    holds(&self, "ad.qcow2", "one");
    put_image(&self, "ad.qcow2", "two");
    assert_int_equal(rf_step_payload.apply(&self.env, &self.deploy, NULL), 0);
    holds(&self, "ad.qcow2", "two");
}

static void what_is_there_is_not_copied_again(void **state)
{
    (void)state;
    RF_CLEANUP(finish) struct fixture self;
    struct stat before, after;
    start(&self);
    if (no_attributes(&self))
        skip();
    rf_autofree char *path = rf_format("%s/base-1.qcow2", self.base);
    put_image(&self, "base-1.qcow2", "base");
    assert_int_equal(rf_step_payload.apply(&self.env, &self.deploy, NULL), 0);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(rf_step_payload.apply(&self.env, &self.deploy, NULL), 0);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void an_older_base_stays(void **state)
{
    (void)state;
    RF_CLEANUP(finish) struct fixture self;
    start(&self);
    if (no_attributes(&self))
        skip();
    put_image(&self, "base-1.qcow2", "old");
    assert_int_equal(rf_step_payload.apply(&self.env, &self.deploy, NULL), 0);
    rf_autofree char *gone = rf_format("%s/medium/guests/base-1.qcow2", self.top);
    assert_int_equal(unlink(gone), 0);
    put_image(&self, "base-2.qcow2", "new");
    assert_int_equal(rf_step_payload.apply(&self.env, &self.deploy, NULL), 0);
    holds(&self, "base-1.qcow2", "old");
    holds(&self, "base-2.qcow2", "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_bytes_of_the_same_size_are_copied),
        cmocka_unit_test(what_is_there_is_not_copied_again),
        cmocka_unit_test(an_older_base_stays),
    };
    return cmocka_run_group_tests_name("installer/step_payload", tests, NULL, NULL);
}
