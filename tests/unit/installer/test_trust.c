/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CAs of the medium in a root: there once, however often; gone where they are not wanted; the system's own untouched. */
#include "base/file.h"
#include "image/region.h"
#include "installer/trust.h"
#include "tests/unit/certificates.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>

#define SYSTEM "-----BEGIN CERTIFICATE-----\nthe system's own\n-----END CERTIFICATE-----\n"
#define BUNDLE "/etc/ssl/certs/ca-certificates.crt"

static char *start(void)
{
    char *root = unit_directory();
    rf_autofree char *directory = rf_format("%s/etc/ssl/certs", root), *bundle = rf_format("%s" BUNDLE, root);
    assert_int_equal(rf_make_dirs(directory, 0755, NULL), 0);
    assert_int_equal(rf_write_file(bundle, SYSTEM, strlen(SYSTEM), 0644, NULL), 0);
    return root;
}

static void finish(char **root)
{
    rf_remove_tree(*root, NULL);
    free(*root);
}

/* Path, mode and text of a file; "" where it is not there. */
static char *picture(const char *root, const char *below)
{
    rf_autofree char *path = rf_format("%s%s", root, below), *text = NULL;
    struct stat status;
    if (stat(path, &status) < 0)
        return rf_strdup("");
    assert_int_equal(rf_read_file(path, 1 << 20, &text, NULL, NULL), 0);
    return rf_format("--- %s %04o\n%s", below, status.st_mode & 07777U, text);
}

static char *whole_picture(const char *root)
{
    static const char *const files[] = {"/usr/local/share/ca-certificates/richtfest-1.crt",
                                        "/usr/local/share/ca-certificates/richtfest-2.crt",
                                        "/usr/local/share/ca-certificates/richtfest-3.crt", BUNDLE};
    char *all = NULL;
    for (size_t i = 0; i < RF_COUNT(files); i++) {
        rf_autofree char *one = picture(root, files[i]);
        rf_append(&all, "%s", one);
    }
    return all;
}

static void installed_once_however_often(void **state)
{
    (void)state;
    RF_CLEANUP(finish) char *root = start();
    assert_false(rf_trust_is_installed(root, UNIT_CA_ONE UNIT_CA_TWO));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(rf_trust_install(root, UNIT_CA_ONE UNIT_CA_TWO, NULL), 0);
    assert_true(rf_trust_is_installed(root, UNIT_CA_ONE UNIT_CA_TWO));
    rf_autofree char *all = whole_picture(root);
    unit_golden("tests/golden/installer/trust.txt", all);
}

/* The ISO was customised anew between two runs. */
static void others_than_before(void **state)
{
    (void)state;
    RF_CLEANUP(finish) char *root = start();
    RF_CLEANUP(finish) char *fresh = start();
    assert_int_equal(rf_trust_install(root, UNIT_CA_ONE UNIT_CA_TWO, NULL), 0);
    assert_false(rf_trust_is_installed(root, UNIT_CA_TWO));
    assert_int_equal(rf_trust_install(root, UNIT_CA_TWO, NULL), 0);
    assert_int_equal(rf_trust_install(fresh, UNIT_CA_TWO, NULL), 0);
    rf_autofree char *here = whole_picture(root), *there = whole_picture(fresh);
    assert_string_equal(here, there);
    assert_false(rf_trust_is_installed(root, NULL));
    assert_int_equal(rf_trust_install(root, NULL, NULL), 0);
    rf_autofree char *none = whole_picture(root);
    assert_string_equal(none, "--- " BUNDLE " 0644\n" SYSTEM);
}

/* What a root beside this one is to get, too. */
static void what_a_root_has_is_read_again(void **state)
{
    (void)state;
    RF_CLEANUP(finish) char *root = unit_directory();
    assert_null(rf_trust_installed(root));
    assert_int_equal(rf_trust_install(root, UNIT_CA_ONE UNIT_CA_TWO, NULL), 0);
    rf_autofree char *pem = rf_trust_installed(root);
    assert_non_null(pem);
    assert_true(rf_trust_is_installed(root, pem));
}

static void a_root_without_any_is_left_alone(void **state)
{
    (void)state;
    RF_CLEANUP(finish) char *root = unit_directory();
    assert_true(rf_trust_is_installed(root, NULL));
    assert_int_equal(rf_trust_install(root, NULL, NULL), 0);
    rf_autofree char *etc = rf_format("%s/etc", root);
    assert_false(rf_exists(etc));
    assert_int_equal(rf_trust_install(root, UNIT_CA_ONE, NULL), 0);
    assert_true(rf_trust_is_installed(root, UNIT_CA_ONE));
}

/* Replaced by ours alone, it would leave a system that trusts nobody else. */
static void a_bundle_that_cannot_be_read_is_never_replaced(void **state)
{
    (void)state;
    enum { TOO_LARGE = (4 << 20) + 1 };
    RF_CLEANUP(finish) char *root = start();
    rf_autofree char *path = rf_format("%s" BUNDLE, root), *large = rf_alloc(TOO_LARGE);
    assert_int_equal(rf_write_file(path, large, TOO_LARGE, 0644, NULL), 0);
    rf_error *error = NULL;
    assert_int_equal(rf_trust_install(root, UNIT_CA_ONE, &error), -1);
    assert_error_has(error, "larger than");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, TOO_LARGE);
}

static void the_medium_is_asked(void **state)
{
    (void)state;
    RF_CLEANUP(finish) char *medium = unit_directory();
    rf_autofree char *directory = rf_format("%s/richtfest", medium), *path = rf_format("%s" RF_REGION_FILE, medium);
    rf_autofree char *pem = NULL, *bytes = NULL;
    assert_int_equal(rf_trust_read(medium, &pem, NULL), 0); /* no region at all */
    assert_null(pem);
    char url[] = "https://h/p", ca[] = UNIT_CA_ONE;
    assert_int_equal(rf_region_format(&(struct rf_region){.profile_url = url, .ca = ca}, &bytes, NULL), 0);
    assert_int_equal(rf_make_dirs(directory, 0755, NULL), 0);
    assert_int_equal(rf_write_file(path, bytes, RF_REGION_SIZE, 0644, NULL), 0);
    assert_int_equal(rf_trust_read(medium, &pem, NULL), 0);
    assert_string_equal(pem, UNIT_CA_ONE);
    assert_int_equal(rf_write_file(path, "", 0, 0644, NULL), 0);
    rf_error *error = NULL;
    assert_int_equal(rf_trust_read(medium, &pem, &error), -1);
    assert_int_equal(rf_error_code(error), RF_BAD_PROFILE);
    rf_error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(installed_once_however_often),
        cmocka_unit_test(others_than_before),
        cmocka_unit_test(what_a_root_has_is_read_again),
        cmocka_unit_test(a_root_without_any_is_left_alone),
        cmocka_unit_test(a_bundle_that_cannot_be_read_is_never_replaced),
        cmocka_unit_test(the_medium_is_asked),
    };
    return cmocka_run_group_tests_name("installer/trust", tests, NULL, NULL);
}
