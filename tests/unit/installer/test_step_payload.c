/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is copied from a medium, and what is not copied again. */
#include "base/json.h"
#include "image/medium.h"
#include "tests/unit/installer/deploy.h"

#include <errno.h>
#include <sys/xattr.h>

#define BASE "target/images/base/"
#define FILES(...) ((const char *const[]){__VA_ARGS__, NULL})

static char *manifest_row(const struct deployed *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/medium/%s", self->top, below);
    char xxh3[33];
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(rf_xxh3_file(path, xxh3, NULL, NULL, NULL), 0);
    return rf_format("{\"path\":\"/%s\",\"size\":%jd,\"sha256\":\"%064d\",\"xxh3\":\"%s\"}", below,
                     (intmax_t)status.st_size, 0, xxh3);
}

/* The medium's manifest, with a row for each of these files. */
static void put_manifest(const struct deployed *self, const char *const *files)
{
    rf_autofree char *rows = rf_strdup("");
    for (size_t i = 0; files[i]; i++) {
        rf_autofree char *row = manifest_row(self, files[i]);
        rf_append(&rows, "%s%s", i ? "," : "", row);
    }
    rf_autofree char *manifest =
        rf_format("{\"richtfest\":1,\"version\":\"0\",\"kernel\":\"k\",\"payloads\":[%s]}", rows);
    deployed_put(self, "medium/richtfest/manifest.json", manifest);
}

static void put_image(const struct deployed *self, const char *name, const char *text)
{
    rf_autofree char *below = rf_format("medium/guests/%s", name);
    deployed_put(self, below, text);
    put_manifest(self, FILES(below + strlen("medium/")));
}

static ino_t inode(const struct deployed *self, const char *below)
{
    rf_autofree char *path = rf_format("%s/%s", self->top, below);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

static void copied(struct deployed *self)
{
    assert_int_equal(deployed_apply(self, &rf_step_payload, NULL), 0);
}

static void holds(const struct deployed *self, const char *below, const char *wanted)
{
    rf_autofree char *text = deployed_read(self, below);
    assert_string_equal(text, wanted);
}

#define NEEDS_ATTRIBUTES(self)                                                                                         \
    if (setxattr((self)->top, "user.richtfest.test", "1", 1, 0) < 0 && errno == ENOTSUP)                               \
    skip()

static void images_are_copied_once(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    NEEDS_ATTRIBUTES(&self);
    deployed_put(&self, "medium/guests/ad.qcow2", "a guest's image");
    deployed_put(&self, "medium/guests/web.qcow2", "");
    deployed_put(&self, "medium/guests/.hidden", "x");
    put_manifest(&self, FILES("guests/ad.qcow2", "guests/web.qcow2"));
    copied(&self);
    rf_autofree char *hidden = deployed_read(&self, BASE ".hidden");
    holds(&self, BASE "ad.qcow2", "a guest's image");
    holds(&self, BASE "web.qcow2", "");
    assert_null(hidden);
    assert_int_equal(deployed_mode(&self, BASE "ad.qcow2"), 0644); /* QEMU's own user reads it */
    const ino_t before = inode(&self, BASE "ad.qcow2");
    copied(&self);
    assert_int_equal(inode(&self, BASE "ad.qcow2"), before);
    deployed_put(&self, BASE "ad.qcow2", "an older");
    copied(&self);
    holds(&self, BASE "ad.qcow2", "a guest's image");
}

static void other_bytes_of_the_same_size_are_copied(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    NEEDS_ATTRIBUTES(&self);
    put_image(&self, "ad.qcow2", "one");
    copied(&self);
    holds(&self, BASE "ad.qcow2", "one");
    put_image(&self, "ad.qcow2", "two");
    copied(&self);
    holds(&self, BASE "ad.qcow2", "two");
}

static void needs(struct deployed *self, const char *image)
{
    self->deploy->images = rf_alloc(2 * sizeof(char *));
    self->deploy->images[0] = rf_strdup(image);
}

/* The manifest knows the images as they were made; one was read wrong since. */
static void a_spare_image_that_is_damaged_is_left_out(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    NEEDS_ATTRIBUTES(&self);
    needs(&self, "ad.qcow2");
    deployed_put(&self, "medium/guests/ad.qcow2", "one");
    deployed_put(&self, "medium/guests/crm.qcow2", "two");
    put_manifest(&self, FILES("guests/ad.qcow2", "guests/crm.qcow2"));
    deployed_put(&self, "medium/guests/crm.qcow2", "tWo");
    copied(&self);
    holds(&self, BASE "ad.qcow2", "one");
    assert_null(deployed_read(&self, BASE "crm.qcow2"));
}

static void a_needed_image_that_is_damaged_is_said(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    NEEDS_ATTRIBUTES(&self);
    needs(&self, "crm.qcow2");
    put_image(&self, "crm.qcow2", "two");
    deployed_put(&self, "medium/guests/crm.qcow2", "tWo");
    rf_error *error = NULL;
    assert_int_equal(deployed_apply(&self, &rf_step_payload, &error), -1);
    assert_error_has(error, "the medium's manifest says");
    assert_null(deployed_read(&self, BASE "crm.qcow2"));
}

static void an_older_base_stays(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    NEEDS_ATTRIBUTES(&self);
    put_image(&self, "base-1.qcow2", "old");
    copied(&self);
    rf_autofree char *gone = rf_format("%s/medium/guests/base-1.qcow2", self.top);
    assert_int_equal(unlink(gone), 0);
    put_image(&self, "base-2.qcow2", "new");
    copied(&self);
    holds(&self, BASE "base-1.qcow2", "old");
    holds(&self, BASE "base-2.qcow2", "new");
}

static void a_medium_without_guests_is_fine(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    deployed_put(&self, "medium/live/vmlinuz", "x");
    put_manifest(&self, FILES("live/vmlinuz"));
    copied(&self);
}

static void a_medium_that_can_not_be_read_is_said(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    rf_error *error = NULL;
    assert_int_equal(deployed_apply(&self, &rf_step_payload, &error), -1);
    assert_error_has(error, "richtfest/manifest.json");
    deployed_put(&self, "medium/guests", "no directory");
    put_manifest(&self, FILES("guests"));
    assert_int_equal(deployed_apply(&self, &rf_step_payload, &error), -1);
    assert_error_has(error, "medium/guests can't be read: Not a directory");
}

/* What the images lack goes along: the node fetches it. */
static void the_list_of_artefacts_goes_along(void **state)
{
    DEPLOYED(self, rf_runner_dry());
    put_image(&self, "base-1.qcow2", "base");
    copied(&self);
    assert_null(deployed_read(&self, BASE "artefacts.json")); /* an older medium has none */
    rf_autofree char *row = manifest_row(&self, "guests/base-1.qcow2");
    rf_autofree char *manifest = rf_format("{\"richtfest\":1,\"version\":\"0\",\"kernel\":\"k\",\"payloads\":[%s],"
                                           "\"artefacts\":[{\"name\":\"app\",\"state\":\"waiting\"}]}",
                                           row);
    deployed_put(&self, "medium/richtfest/manifest.json", manifest);
    copied(&self);
    rf_autofree char *left = deployed_read(&self, BASE "artefacts.json");
    rf_autojson json_t *json = json_loads(left, 0, NULL);
    const json_t *first = json_array_get(json_object_get(json, "artefacts"), 0);
    assert_string_equal(rf_json_string(first, "name"), "app");
    deployed_put(&self, BASE "artefacts.json", "{}"); /* another medium's */
    copied(&self);
    rf_autofree char *again = deployed_read(&self, BASE "artefacts.json");
    assert_string_equal(again, left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_copied_once),
        cmocka_unit_test(other_bytes_of_the_same_size_are_copied),
        cmocka_unit_test(a_spare_image_that_is_damaged_is_left_out),
        cmocka_unit_test(a_needed_image_that_is_damaged_is_said),
        cmocka_unit_test(an_older_base_stays),
        cmocka_unit_test(a_medium_without_guests_is_fine),
        cmocka_unit_test(a_medium_that_can_not_be_read_is_said),
        cmocka_unit_test(the_list_of_artefacts_goes_along),
    };
    return cmocka_run_group_tests_name("installer/step_payload", tests, NULL, NULL);
}
