/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real ISO, made by xorriso, customised in place: only the regions' bytes change, and inspect tells no secrets. */
#include "base/digest.h"
#include "base/file.h"
#include "image/envblk.h"
#include "image/image.h"
#include "image/isofile.h"
#include "image/manifest.h"
#include "image/region.h"
#include "tests/unit/unit.h"

struct fixture {
    char *directory, *iso;
    rf_runner *runner;
};

static void put(const struct fixture *self, const char *path, const void *bytes, size_t size)
{
    rf_autofree char *file = rf_format("%s/tree%s", self->directory, path), *above = rf_strdup(file);
    *strrchr(above, '/') = '\0';
    assert_int_equal(rf_make_dirs(above, 0755, NULL), 0);
    assert_int_equal(rf_write_file(file, bytes, size, 0644, NULL), 0);
}

static void put_manifest(const struct fixture *self)
{
    char sha256[RF_SHA256_HEX], xxh3[33];
    rf_autofree char *file = rf_format("%s/tree%s", self->directory, RF_MEDIUM_ROOT_FILE);
    assert_int_equal(rf_sha256_file(file, sha256, NULL, NULL, NULL), 0);
    assert_int_equal(rf_xxh3_file(file, xxh3, NULL, NULL, NULL), 0);
    const struct rf_payload payload = {
        .path = (char *)RF_MEDIUM_ROOT_FILE, .size = 100000, .sha256 = sha256, .xxh3 = xxh3};
    rf_autojson json_t *artefacts =
        json_pack("[{s:s,s:s,s:s,s:s}]", "name", "cloud", "version", "34", "recipes", "nextcloud", "state", "waiting");
    rf_autojson json_t *json = rf_manifest_json(&(struct rf_manifest){.version = "0.1.0",
                                                                      .artefacts = artefacts,
                                                                      .suite = "trixie",
                                                                      .kernel = "k",
                                                                      .archive = "a",
                                                                      .sources = "s",
                                                                      .payloads = &payload,
                                                                      .payloads_count = 1});
    rf_autofree char *text = rf_json_text(json);
    put(self, RF_MEDIUM_MANIFEST_FILE, text, strlen(text));
}

static void make_iso(const struct fixture *self)
{
    rf_autofree char *tree = rf_format("%s/tree", self->directory);
    const char *const argv[] = {"xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-o", self->iso, tree, NULL};
    assert_int_equal(rf_run_argv(self->runner, argv, NULL), 0);
}

static bool start(struct fixture *self, bool regions)
{
    *self = (struct fixture){.directory = unit_directory(), .runner = rf_runner_real()};
    self->iso = rf_format("%s/a.iso", self->directory);
    rf_autofree char *payload = rf_alloc(100000), *region = NULL;
    memset(payload, 'p', 100000);
    put(self, RF_MEDIUM_ROOT_FILE, payload, 100000);
    put_manifest(self);
    char envblk[RF_ENVBLK_SIZE];
    assert_int_equal(rf_region_format(&(struct rf_region){0}, &region, NULL), 0);
    assert_int_equal(rf_envblk_format(&(struct rf_envblk_variable){RF_SOURCE_VARIABLE, ""}, 1, envblk, NULL), 0);
    if (regions) {
        put(self, RF_REGION_FILE, region, RF_REGION_SIZE);
        put(self, RF_ENVBLK_FILE, envblk, sizeof(envblk));
    }
    if (rf_run_argv(self->runner, RF_ARGV("xorriso", "-version"), NULL) < 0) {
        print_message("skipped: xorriso is not installed\n");
        return false;
    }
    make_iso(self);
    return true;
}

static void finish(struct fixture *self)
{
    rf_remove_tree(self->directory, NULL);
    rf_runner_free(self->runner);
    free(self->directory);
    free(self->iso);
}

#define FIXTURE(self, regions)                                                                                         \
    (void)state;                                                                                                       \
    RF_CLEANUP(finish) struct fixture self;                                                                            \
    if (!start(&self, regions))                                                                                        \
    skip()

static char *read_iso(const struct fixture *self, size_t *ret_size)
{
    char *bytes = NULL;
    assert_int_equal(rf_read_file(self->iso, 16 << 20, &bytes, ret_size, NULL), 0);
    return bytes;
}

static bool inside(size_t at, const struct rf_isofile *files)
{
    for (size_t i = 0; i < 2; i++)
        if (at >= files[i].offset && at < files[i].offset + files[i].size)
            return true;
    return false;
}

static void only_the_regions_change(void **state)
{
    FIXTURE(self, true);
    struct rf_isofile files[] = {{.path = RF_REGION_FILE}, {.path = RF_ENVBLK_FILE}};
    assert_int_equal(rf_isofile_find(self.iso, files, 2, NULL), 0);
    size_t before_size, after_size, changed = 0;
    rf_autofree char *before = read_iso(&self, &before_size);
    assert_memory_equal(before + files[1].offset, "# GRUB Environment Block\n", 25);
    const struct rf_customize_options url = {.iso = self.iso, .profile_url = "https://u:pw@host/p.yaml?token=t"};
    assert_int_equal(rf_image_customize(&url, NULL), 0);
    rf_autofree char *after = read_iso(&self, &after_size);
    assert_int_equal(before_size, after_size);
    for (size_t i = 0; i < before_size; i++) {
        if (before[i] == after[i])
            continue;
        changed++;
        if (!inside(i, files))
            fail_msg("byte %zu outside of the regions changed", i);
    }
    assert_true(changed > 50);
    char id[RF_UUID_TEXT];
    rf_source_id_url(url.profile_url, id);
    rf_autofree char *source = rf_envblk_get(after + files[1].offset, RF_ENVBLK_SIZE, RF_SOURCE_VARIABLE);
    assert_string_equal(source, id);
    const struct rf_customize_options reset = {.iso = self.iso, .reset = true};
    assert_int_equal(rf_image_customize(&reset, NULL), 0);
    rf_autofree char *again = read_iso(&self, &after_size);
    assert_memory_equal(before, again, before_size);
}

static void a_copy_leaves_the_original(void **state)
{
    FIXTURE(self, true);
    size_t size, copy_size;
    rf_autofree char *before = read_iso(&self, &size), *copy = rf_format("%s/b.iso", self.directory);
    const struct rf_customize_options options = {.iso = self.iso, .output = copy, .profile_url = "http://h/"};
    assert_int_equal(rf_image_customize(&options, NULL), 0);
    rf_autofree char *after = read_iso(&self, &copy_size);
    assert_memory_equal(before, after, size);
    rf_autojson json_t *json = NULL;
    assert_int_equal(rf_image_inspect_json(&(struct rf_inspect_options){.iso = copy}, &json, NULL), 0);
    assert_string_equal(rf_json_string(json_object_get(json, "custom"), "profile_url"), "http://h/");
    rf_autofree char *temporary = rf_format("%s.new", copy);
    assert_false(rf_exists(temporary));
}

static void inspect_tells_no_secrets(void **state)
{
    FIXTURE(self, true);
    const struct rf_customize_options url = {.iso = self.iso, .profile_url = "https://user:pw@host/p.yaml?token=tttt"};
    assert_int_equal(rf_image_customize(&url, NULL), 0);
    rf_autojson json_t *json = NULL;
    assert_int_equal(rf_image_inspect_json(&(struct rf_inspect_options){.iso = self.iso, .verify = true}, &json, NULL),
                     0);
    rf_autofree char *all = rf_json_text(json), *text = rf_image_inspect_text(json);
    assert_null(strstr(all, "pw"));
    assert_null(strstr(all, "tttt"));
    assert_null(strstr(text, "pw"));
    assert_non_null(strstr(text, "from https://host/p.yaml"));
    assert_non_null(strstr(text, "artefact    cloud 34, for nextcloud: waiting\n"));
    assert_true(json_is_true(json_object_get(json, "verified")));
}

static void an_embedded_profile_is_summarised(void **state)
{
    FIXTURE(self, true);
    rf_autofree char *text = NULL;
    size_t size;
    assert_int_equal(rf_read_file("profiles/musterkunde.yaml", 1 << 18, &text, &size, NULL), 0);
    const struct rf_customize_options options = {.iso = self.iso,
                                                 .profile = "musterkunde.yaml",
                                                 .profile_text = text,
                                                 .profile_size = size,
                                                 .profile_node_id = "musterkunde-n1"};
    assert_int_equal(rf_image_customize(&options, NULL), 0);
    rf_autojson json_t *json = NULL;
    assert_int_equal(rf_image_inspect_json(&(struct rf_inspect_options){.iso = self.iso}, &json, NULL), 0);
    const json_t *profile = json_object_get(json_object_get(json, "custom"), "profile");
    assert_string_equal(rf_json_string(profile, "node"), "musterkunde-n1");
    rf_autofree char *all = rf_json_text(json);
    assert_null(strstr(all, "ssh-ed25519"));
}

static void a_damaged_payload_is_named(void **state)
{
    FIXTURE(self, true);
    struct rf_isofile file = {.path = RF_MEDIUM_ROOT_FILE};
    assert_int_equal(rf_isofile_find(self.iso, &file, 1, NULL), 0);
    FILE *iso = fopen(self.iso, "r+");
    fseek(iso, (long)file.offset + 500, SEEK_SET);
    fputc('x', iso);
    fclose(iso);
    json_t *json = NULL;
    rf_error *error = NULL;
    assert_int_equal(
        rf_image_inspect_json(&(struct rf_inspect_options){.iso = self.iso, .verify = true}, &json, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error_has(error, "the checksum of /live/root.squashfs is wrong");
}

static void others_are_refused(void **state)
{
    FIXTURE(self, false);
    const struct rf_customize_options url = {.iso = self.iso, .profile_url = "http://h/"};
    rf_error *error = NULL;
    assert_int_equal(rf_image_customize(&url, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "has no reserved region that this program can write");
    const struct rf_customize_options text = {.iso = "profiles/musterkunde.yaml", .profile_url = "http://h/"};
    assert_int_equal(rf_image_customize(&text, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "is no ISO image that can be read");
    const struct rf_customize_options absent = {.iso = "/nonexistent.iso", .profile_url = "http://h/"};
    assert_int_equal(rf_image_customize(&absent, &error), -1);
    assert_error_has(error, "/nonexistent.iso can't be opened");
}

static void wrong_usage_is_told_before_the_iso_is_opened(void **state)
{
    (void)state;
    const struct rf_customize_options wrong[] = {
        {.iso = "/nonexistent"},
        {.iso = "/nonexistent", .profile_url = "http://h/", .reset = true},
        {.iso = "/nonexistent", .profile_url = "gopher://h/"},
    };
    for (size_t i = 0; i < RF_COUNT(wrong); i++) {
        rf_error *error = NULL;
        assert_int_equal(rf_image_customize(&wrong[i], &error), -1);
        assert_int_equal(rf_error_code(error), RF_USAGE);
        rf_error_free(error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_regions_change),
        cmocka_unit_test(a_copy_leaves_the_original),
        cmocka_unit_test(inspect_tells_no_secrets),
        cmocka_unit_test(an_embedded_profile_is_summarised),
        cmocka_unit_test(a_damaged_payload_is_named),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(wrong_usage_is_told_before_the_iso_is_opened),
    };
    return cmocka_run_group_tests_name("image/customize", tests, NULL, NULL);
}
