/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is told of an ISO: as it left the builder, customised, damaged, or somebody else's; and never a secret. */
#include "tests/unit/certificates.h"
#include "tests/unit/image/iso.h"

/* Writes over the ISO's own bytes, `at` bytes into one of its files. */
static void overwrite(const struct fixture *self, const char *path, size_t at, const char *text)
{
    struct rf_isofile file = {.path = path};
    assert_int_equal(rf_isofile_find(self->iso, &file, 1, NULL), 0);
    rf_autofile FILE *iso = fopen(self->iso, "r+");
    assert_int_equal(fseek(iso, (long)(file.offset + at), SEEK_SET), 0);
    assert_int_equal(fwrite(text, 1, strlen(text), iso), strlen(text));
}

static json_t *inspected(const struct fixture *self, bool verify)
{
    json_t *json = NULL;
    rf_error *error = NULL;
    if (rf_image_inspect_json(&(struct rf_inspect_options){.iso = self->iso, .verify = verify}, &json, &error) < 0) {
        rf_autofree char *why = rf_error_text(error);
        fail_msg("%s", why);
    }
    return json;
}

/* The text for people, with the fixture's directory taken out. */
static char *text_of(const struct fixture *self, const json_t *json)
{
    rf_autofree char *text = rf_image_inspect_text(json);
    assert_int_equal(strncmp(text, self->directory, strlen(self->directory)), 0);
    return rf_strdup(text + strlen(self->directory));
}

static void as_it_left_the_builder(void **state)
{
    FIXTURE(self, true);
    rf_autojson json_t *json = inspected(&self, true);
    assert_string_equal(rf_json_string(json, "iso"), self.iso);
    assert_string_equal(rf_json_string(json_object_get(json, "custom"), "state"), "none");
    assert_string_equal(rf_json_string(json_object_get(json, "manifest"), "kernel"), "k");
    json_object_set_new(json, "size", json_integer(123456789)); /* xorriso's padding differs by release */
    rf_autofree char *text = text_of(&self, json);
    unit_golden("tests/golden/image/inspect.txt", text);
}

static void no_secrets_are_told(void **state)
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

static void customize_with_ca(const struct fixture *self, const char *ca)
{
    const struct rf_customize_options options = {.iso = self->iso,
                                                 .profile_url = "https://h/p.yaml",
                                                 .ca = "ca.pem",
                                                 .ca_text = ca,
                                                 .ca_size = ca ? strlen(ca) : 0};
    assert_int_equal(rf_image_customize(&options, NULL), 0);
}

static void a_ca_is_shown_and_gone_the_next_time_without_it(void **state)
{
    FIXTURE(self, true);
    customize_with_ca(&self, "what the person noted\n" UNIT_CA_ONE UNIT_CA_TWO);
    rf_autojson json_t *json = inspected(&self, false);
    const json_t *list = json_object_get(json_object_get(json, "custom"), "ca");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(rf_json_string(json_array_get(list, 1), "subject"), "CN=CA two,O=Musterfirma");
    assert_true(json_is_false(json_object_get(json_array_get(list, 1), "expired")));
    rf_autofree char *text = text_of(&self, json);
    assert_non_null(strstr(text, "trusts      CN=CA one,O=Musterfirma, until 2126-10-28 14:29 UTC\n"));
    size_t size;
    rf_autofree char *bytes = read_iso(&self, &size);
    assert_null(memmem(bytes, size, "noted", 5));
    customize_with_ca(&self, NULL);
    rf_autojson json_t *without = inspected(&self, false);
    assert_null(json_object_get(json_object_get(without, "custom"), "ca"));
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
    overwrite(&self, RF_MEDIUM_ROOT_FILE, 500, "x");
    json_t *json = NULL;
    rf_error *error = NULL;
    assert_int_equal(
        rf_image_inspect_json(&(struct rf_inspect_options){.iso = self.iso, .verify = true}, &json, &error), -1);
    assert_int_equal(rf_error_code(error), RF_FAILED);
    assert_error_has(error, "the checksum of /live/root.squashfs is wrong");
    assert_null(json);
    rf_autojson json_t *unread = inspected(&self, false); /* without --verify nobody reads it */
    assert_null(json_object_get(unread, "verified"));
}

static void a_payload_of_another_size_is_named(void **state)
{
    FIXTURE(self, true);
    rf_autofree char *text = NULL;
    size_t size;
    rf_autofree char *manifest = rf_format("%s/tree%s", self.directory, RF_MEDIUM_MANIFEST_FILE);
    assert_int_equal(rf_read_file(manifest, 1 << 16, &text, &size, NULL), 0);
    char *number = strstr(text, "\"size\": 100000");
    memcpy(number + strlen("\"size\": "), "100001", 6);
    put(&self, RF_MEDIUM_MANIFEST_FILE, text, size);
    unlink(self.iso);
    make_iso(&self);
    json_t *json = NULL;
    rf_error *error = NULL;
    assert_int_equal(
        rf_image_inspect_json(&(struct rf_inspect_options){.iso = self.iso, .verify = true}, &json, &error), -1);
    assert_error_has(error, "/live/root.squashfs has 100000 bytes instead of 100001");
}

static void a_damaged_region_is_said(void **state)
{
    FIXTURE(self, true);
    const struct rf_customize_options url = {.iso = self.iso, .profile_url = "https://host/p.yaml?token=tttt"};
    assert_int_equal(rf_image_customize(&url, NULL), 0);
    overwrite(&self, RF_REGION_FILE, RF_REGION_HEADER + 20, "!");
    rf_autojson json_t *json = inspected(&self, false);
    assert_string_equal(rf_json_string(json_object_get(json, "custom"), "state"), "damaged");
    rf_autofree char *all = rf_json_text(json), *text = text_of(&self, json);
    assert_null(strstr(all, "tttt"));
    assert_non_null(strstr(text, "\nprofile     damaged: "));
}

static void a_profile_of_another_program_is_said(void **state)
{
    FIXTURE(self, true);
    static const char profile[] = "richtfest: 99\nsecret: hush\n";
    const struct rf_customize_options options = {.iso = self.iso,
                                                 .profile = "later.yaml",
                                                 .profile_text = profile,
                                                 .profile_size = strlen(profile),
                                                 .profile_node_id = "n"};
    assert_int_equal(rf_image_customize(&options, NULL), 0);
    rf_autojson json_t *json = inspected(&self, false);
    rf_autofree char *all = rf_json_text(json), *text = text_of(&self, json);
    assert_null(strstr(all, "hush"));
    assert_non_null(strstr(text, "\nprofile     later.yaml, embedded, NOT VALID for this program\n"));
}

static void others_are_refused(void **state)
{
    FIXTURE(self, true);
    json_t *json = NULL;
    rf_error *error = NULL;
    const struct rf_inspect_options absent = {.iso = "/nonexistent.iso"}, text = {.iso = "profiles/musterkunde.yaml"},
                                    ours = {.iso = self.iso};
    assert_int_equal(rf_image_inspect_json(&absent, &json, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "/nonexistent.iso can't be opened");
    assert_int_equal(rf_image_inspect_json(&text, &json, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "is no ISO image that can be read");
    overwrite(&self, RF_MEDIUM_MANIFEST_FILE, 0, "]");
    assert_int_equal(rf_image_inspect_json(&ours, &json, &error), -1);
    assert_error_has(error, "/richtfest/manifest.json is no JSON");
    overwrite(&self, RF_MEDIUM_MANIFEST_FILE, 0, "{\n  \"richtfest\": 9");
    assert_int_equal(rf_image_inspect_json(&ours, &json, &error), -1);
    assert_error_has(error, "the manifest has format 9, this program knows 1");
    rf_autofree char *manifest = rf_format("%s/tree%s", self.directory, RF_MEDIUM_MANIFEST_FILE);
    unlink(manifest);
    unlink(self.iso);
    make_iso(&self);
    assert_int_equal(rf_image_inspect_json(&ours, &json, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_MACHINE);
    assert_error_has(error, "is no Richtfest image: it holds no /richtfest/manifest.json");
    assert_null(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_left_the_builder),
        cmocka_unit_test(no_secrets_are_told),
        cmocka_unit_test(a_ca_is_shown_and_gone_the_next_time_without_it),
        cmocka_unit_test(an_embedded_profile_is_summarised),
        cmocka_unit_test(a_damaged_payload_is_named),
        cmocka_unit_test(a_payload_of_another_size_is_named),
        cmocka_unit_test(a_damaged_region_is_said),
        cmocka_unit_test(a_profile_of_another_program_is_said),
        cmocka_unit_test(others_are_refused),
    };
    return cmocka_run_group_tests_name("image/inspect", tests, NULL, NULL);
}
