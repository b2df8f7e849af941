/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reserved region: what goes in comes out, and everything else is said. */
#include "base/file.h"
#include "image/region.h"
#include "tests/unit/unit.h"

static char *bytes_of(const struct rf_region *region)
{
    char *bytes = NULL;
    assert_int_equal(rf_region_format(region, &bytes, NULL), 0);
    return bytes;
}

static void nothing_is_nothing(void **state)
{
    (void)state;
    rf_autofree char *bytes = bytes_of(&(struct rf_region){0});
    assert_memory_equal(bytes, "RICHTFEST-REGION 01 00000000 e3b0c44298fc1c149afbf4c8996fb924  \n\0\0", 66);
    struct rf_region found = {.name = bytes};
    assert_int_equal(rf_region_parse(bytes, RF_REGION_SIZE, &found, NULL), 0);
    assert_null(found.profile_url);
    assert_null(found.profile);
    assert_null(found.name);
}

static void url_comes_back(void **state)
{
    (void)state;
    char url[] = "https://user:secret@host/p.yaml?token=1";
    rf_autofree char *bytes = bytes_of(&(struct rf_region){.profile_url = url});
    rf_autoregion struct rf_region found = {0};
    assert_int_equal(rf_region_parse(bytes, RF_REGION_SIZE, &found, NULL), 0);
    assert_string_equal(found.profile_url, url);
    assert_null(found.profile);
}

static void a_ca_comes_back(void **state)
{
    (void)state;
    char url[] = "https://host/p.yaml", text[] = "richtfest: 1\n", ca[] = "-----BEGIN CERTIFICATE-----\nMII\n";
    const struct rf_region given[] = {
        {.profile_url = url, .ca = ca}, {.profile = text, .profile_size = strlen(text), .ca = ca}, {.ca = ca}};
    for (size_t i = 0; i < RF_COUNT(given); i++) {
        rf_autofree char *bytes = bytes_of(&given[i]);
        rf_autoregion struct rf_region found = {0};
        assert_int_equal(rf_region_parse(bytes, RF_REGION_SIZE, &found, NULL), 0);
        assert_string_equal(found.ca, ca);
        assert_true(!found.profile_url == !given[i].profile_url);
        assert_true(!found.profile == !given[i].profile);
    }
}

static void profile_comes_back(void **state)
{
    (void)state;
    char text[] = "richtfest: 1\n# \"quotes\", \t and ä\n", name[] = "a.yaml";
    rf_autofree char *bytes =
        bytes_of(&(struct rf_region){.profile = text, .profile_size = strlen(text), .name = name});
    rf_autoregion struct rf_region found = {0};
    assert_int_equal(rf_region_parse(bytes, RF_REGION_SIZE, &found, NULL), 0);
    assert_string_equal(found.profile, text);
    assert_int_equal(found.profile_size, strlen(text));
    assert_string_equal(found.name, "a.yaml");
}

static void limits(void **state)
{
    (void)state;
    const size_t overhead = strlen("{\"format\":1,\"profile\":\"\",\"name\":null}") - strlen(",\"name\":null") + 12;
    const size_t room = RF_REGION_SIZE - RF_REGION_HEADER - overhead;
    rf_autofree char *text = rf_alloc(room + 2);
    memset(text, 'a', room + 1);
    rf_autofree char *bytes = NULL;
    assert_int_equal(rf_region_format(&(struct rf_region){.profile = text, .profile_size = room}, &bytes, NULL), 0);
    char *none = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_region_format(&(struct rf_region){.profile = text, .profile_size = room + 1}, &none, &error),
                     -1);
    assert_null(none);
    assert_int_equal(rf_error_code(error), RF_USAGE);
    assert_error_has(error, "which has room for 327616; give its URL instead");
}

static void no_utf8_is_refused(void **state)
{
    (void)state;
    char text[] = "richtfest: \xff";
    char *bytes = NULL;
    rf_error *error = NULL;
    assert_int_equal(rf_region_format(&(struct rf_region){.profile = text, .profile_size = 12}, &bytes, &error), -1);
    assert_error(error, "the profile is no UTF-8 text");
}

/* Every single flipped byte of header and content is found. */
static void any_flipped_byte_is_found(void **state)
{
    (void)state;
    char url[] = "https://host/p.yaml";
    rf_autofree char *bytes = bytes_of(&(struct rf_region){.profile_url = url});
    const size_t used = RF_REGION_HEADER + strlen("{\"format\":1,\"profile_url\":\"https://host/p.yaml\"}");
    for (size_t i = 0; i < used; i++) {
        if (i == 61 || i == 62 || i == 19 || i == 28) /* blanks between the fields */
            continue;
        bytes[i] ^= 1;
        rf_autoregion struct rf_region found = {0};
        rf_error *error = NULL;
        if (rf_region_parse(bytes, RF_REGION_SIZE, &found, &error) == 0)
            fail_msg("byte %zu is not covered", i);
        assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
        rf_error_free(error);
        bytes[i] ^= 1;
    }
}

static void interrupted_and_short_ones_are_said(void **state)
{
    (void)state;
    rf_autofree char *zeros = rf_alloc(RF_REGION_SIZE);
    struct rf_region found = {0};
    rf_error *error = NULL;
    assert_int_equal(rf_region_parse(zeros, RF_REGION_SIZE, &found, &error), -1);
    assert_error_has(error, "damaged");
    char url[] = "https://host/p.yaml";
    rf_autofree char *bytes = bytes_of(&(struct rf_region){.profile_url = url});
    for (size_t size = 0; size < 100; size++)
        assert_int_equal(rf_region_parse(bytes, size, &found, NULL), -1);
}

static void later_format_is_said(void **state)
{
    (void)state;
    rf_autofree char *bytes = bytes_of(&(struct rf_region){0});
    bytes[18] = '2';
    struct rf_region found = {0};
    rf_error *error = NULL;
    assert_int_equal(rf_region_parse(bytes, RF_REGION_SIZE, &found, &error), -1);
    assert_error_has(error, "has format 2, this program knows 1");
}

static void file_is_read(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = rf_format("%s/custom.json", directory);
    char url[] = "http://host/";
    rf_autofree char *bytes = bytes_of(&(struct rf_region){.profile_url = url});
    rf_autoregion struct rf_region found = {0};
    rf_error *error = NULL;
    assert_int_equal(rf_region_read(path, &found, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    rf_error_free(error);
    assert_int_equal(rf_write_file(path, bytes, RF_REGION_SIZE, 0644, NULL), 0);
    assert_int_equal(rf_region_read(path, &found, NULL), 0);
    assert_string_equal(found.profile_url, url);
    rf_remove_tree(directory, NULL);
}

/* They stand on disks of installed nodes: a change would make every one of them a stranger to its ISO. */
static void identities_never_change(void **state)
{
    (void)state;
    char url[RF_UUID_TEXT], node[RF_UUID_TEXT];
    rf_source_id_url("https://host/p.yaml", url);
    rf_source_id_node("https://host/p.yaml", node);
    assert_string_equal(url, "fe35fca1-ac53-5dcc-b9c3-68570fc53910");
    assert_string_not_equal(url, node);
}

static void urls(void **state)
{
    (void)state;
    static const char *const good[] = {"http://h", "https://u:p@h:8443/a?b=c#d", "HTTPS://h/",
                                       "http://[2001:db8::1]/x"};
    static const char *const bad[] = {
        "",           "ftp://h/",    "h/p.yaml",        "https://",      "https:///p",
        "http://:80", "http://u@/p", "http://h/a b",    "http://h/\xc3", "file:///etc/passwd",
        "http://?x",  "http://h/\n", "javascript:alert"};
    for (size_t i = 0; i < RF_COUNT(good); i++)
        assert_int_equal(rf_url_check(good[i], NULL), 0);
    for (size_t i = 0; i < RF_COUNT(bad); i++) {
        rf_error *error = NULL;
        if (rf_url_check(bad[i], &error) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(rf_error_code(error), RF_USAGE);
        rf_error_free(error);
    }
    char longest[RF_URL_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "http://", 7);
    longest[RF_URL_MAX] = '\0';
    assert_int_equal(rf_url_check(longest, NULL), 0);
    longest[RF_URL_MAX] = 'a';
    longest[RF_URL_MAX + 1] = '\0';
    assert_int_equal(rf_url_check(longest, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_nothing),
        cmocka_unit_test(url_comes_back),
        cmocka_unit_test(a_ca_comes_back),
        cmocka_unit_test(profile_comes_back),
        cmocka_unit_test(limits),
        cmocka_unit_test(no_utf8_is_refused),
        cmocka_unit_test(any_flipped_byte_is_found),
        cmocka_unit_test(interrupted_and_short_ones_are_said),
        cmocka_unit_test(later_format_is_said),
        cmocka_unit_test(file_is_read),
        cmocka_unit_test(identities_never_change),
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests_name("image/region", tests, NULL, NULL);
}
