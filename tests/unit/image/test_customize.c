/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An ISO, customised in place: only the regions' bytes change. */
#include "tests/unit/certificates.h"
#include "tests/unit/image/iso.h"

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

static void the_kernel_gets_arguments(void **state)
{
    FIXTURE(self, true);
    const struct rf_customize_options options = {
        .iso = self.iso, .profile_url = "http://h/", .kernel_arguments = "console=ttyS1,115200 nomodeset"};
    assert_int_equal(rf_image_customize(&options, NULL), 0);
    rf_autojson json_t *json = NULL;
    assert_int_equal(rf_image_inspect_json(&(struct rf_inspect_options){.iso = self.iso}, &json, NULL), 0);
    assert_string_equal(rf_json_string(json_object_get(json, "custom"), "kernel_arguments"), options.kernel_arguments);
    rf_autofree char *text = rf_image_inspect_text(json);
    assert_non_null(strstr(text, "kernel      console=ttyS1,115200 nomodeset\n"));
}

static void arguments_that_are_no_words(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a\"b", "a$b", "a\nb", "a\\b", "-- b", "a --- b", "ä", "a;b{"};
    for (size_t i = 0; i < RF_COUNT(wrong); i++) {
        rf_autoerror rf_error *error = NULL;
        const struct rf_customize_options options = {
            .iso = "/nonexistent", .profile_url = "http://h/", .kernel_arguments = wrong[i]};
        assert_int_equal(rf_image_customize(&options, &error), -1);
        assert_int_equal(rf_error_code(error), RF_USAGE);
    }
    char many[RF_KERNEL_ARGUMENTS_MAX + 2];
    memset(many, 'a', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    rf_autoerror rf_error *error = NULL;
    const struct rf_customize_options options = {
        .iso = "/nonexistent", .profile_url = "http://h/", .kernel_arguments = many};
    assert_int_equal(rf_image_customize(&options, &error), -1);
    assert_error_has(error, "there is room for 512");
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

static void a_ca_that_is_none_leaves_the_iso_alone(void **state)
{
    FIXTURE(self, true);
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"hello", "ca.pem: it holds no certificate in PEM"},
        {UNIT_CA_ONE "-----BEGIN PRIVATE KEY-----", "ca.pem: it holds a private key"},
        {UNIT_CA_ONE UNIT_CA_OLD, "the certificate CN=CA old,O=Musterfirma has expired (2002-01-01 00:00 UTC)"},
    };
    size_t size;
    rf_autofree char *before = read_iso(&self, &size);
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        const struct rf_customize_options options = {.iso = self.iso,
                                                     .profile_url = "https://h/",
                                                     .ca = "ca.pem",
                                                     .ca_text = rows[i].text,
                                                     .ca_size = strlen(rows[i].text)};
        rf_error *error = NULL;
        assert_int_equal(rf_image_customize(&options, &error), -1);
        assert_int_equal(rf_error_code(error), RF_USAGE);
        assert_error_has(error, rows[i].why);
        rf_autofree char *after = read_iso(&self, &size);
        assert_memory_equal(before, after, size);
    }
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
        cmocka_unit_test(the_kernel_gets_arguments),
        cmocka_unit_test(arguments_that_are_no_words),
        cmocka_unit_test(a_copy_leaves_the_original),
        cmocka_unit_test(a_ca_that_is_none_leaves_the_iso_alone),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(wrong_usage_is_told_before_the_iso_is_opened),
    };
    return cmocka_run_group_tests_name("image/customize", tests, NULL, NULL);
}
