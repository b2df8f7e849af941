/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "image/artefact.h"
#include "tests/unit/unit.h"

#define SUM "00f226e6364f96e0918ab06157158f66601b8cedc25af777f5ee5a3056f42b83"

static const char good[] =
    "manifest: 1\n"
    "artefacts:\n"
    "  cloud:\n"
    "    title: A cloud\n"
    "    version: 34.0.4\n"
    "    licence: AGPL-3.0-or-later\n"
    "    url: https://a.example/cloud.tar.bz2\n"
    "    mirrors: [https://b.example/cloud.tar.bz2]\n"
    "    sha256: " SUM "\n"
    "    size: 300 MB\n"
    "    format: tar.bz2\n"
    "    strip: 1\n"
    "    signature: {url: https://a.example/cloud.asc, key: 28806A878AE423A28372792ED75899B9A724937A}\n"
    "  app: {title: unknown app, version: '1.0', licence: MIT, url: 'http://a.example/app.zip', "
    "sha256: unknown, format: zip}\n";

static void an_entry_is_read(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autoartefacts struct rf_artefacts artefacts;
    rf_artefacts_parse("m.yaml", good, sizeof(good) - 1, &artefacts, &problems);
    assert_int_equal(problems.count, 0);
    assert_int_equal(artefacts.count, 2);
    const struct rf_artefact *cloud = rf_artefact_named(&artefacts, "cloud"),
                             *app = rf_artefact_named(&artefacts, "app");
    assert_string_equal(cloud->file, "cloud-34.0.4.tar.bz2");
    assert_string_equal(cloud->sha256, SUM);
    assert_string_equal(cloud->mirrors[0], "https://b.example/cloud.tar.bz2");
    assert_null(cloud->mirrors[1]);
    assert_int_equal(cloud->size, 300000000);
    assert_int_equal(cloud->strip, 1);
    assert_string_equal(cloud->signature_key, "28806A878AE423A28372792ED75899B9A724937A");
    assert_null(app->sha256);
    assert_string_equal(app->file, "app-1.0.zip");
    assert_int_equal(app->strip, 0);
    assert_null(app->signature_key);
    assert_null(rf_artefact_named(&artefacts, "clou"));
}

/* The entry `cloud` with one line changed. */
static void wrong(const char *from, const char *to, const char *said)
{
    rf_autoproblems rf_problems problems = {0};
    rf_autoartefacts struct rf_artefacts artefacts;
    const char *at = strstr(good, from);
    assert_non_null(at);
    rf_autofree char *text = rf_format("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    rf_artefacts_parse("m.yaml", text, strlen(text), &artefacts, &problems);
    rf_autofree char *found = rf_problems_text(&problems);
    if (!found || !strstr(found, said))
        fail_msg("\"%s\" does not say \"%s\"", found ? found : "(nothing)", said);
}

static void mistakes_have_their_place(void **state)
{
    (void)state;
    wrong("manifest: 1", "manifest: 2", "m.yaml:1:1: error: manifest: write `manifest: 1`");
    wrong("sha256: 00f2", "sha256: 00F2", "m.yaml:9:13: error: artefacts.cloud.sha256: 64 hexadecimal digits");
    wrong("sha256: 00", "sha256: 0", "artefacts.cloud.sha256");
    wrong("title: A cloud", "titel: A cloud", "m.yaml:4:5: error: titel: unknown key; did you mean `title`?");
    wrong("    version: 34.0.4\n", "", "artefacts.cloud.version: this is missing");
    wrong("version: 34.0.4", "version: ../34", "artefacts.cloud.version: a version is made of letters");
    wrong("https://a.example/cloud.tar.bz2", "ftp://a.example/x", "artefacts.cloud.url");
    wrong("https://b.example/cloud.tar.bz2", "file:///etc/passwd", "artefacts.cloud.mirrors");
    wrong("size: 300 MB", "size: 300", "artefacts.cloud.size: a size like `300 MB`");
    wrong("size: 300 MB", "size: 300 GB", "artefacts.cloud.size: a size like `300 MB`");
    wrong("format: tar.bz2", "format: rar", "artefacts.cloud.format: one of tar.bz2");
    wrong("strip: 1", "strip: 10", "artefacts.cloud.strip: a number from 0 to 9");
    wrong("key: 28806A878AE423A28372792ED75899B9A724937A", "key: A724937A",
          "artefacts.cloud.signature: {url: URL, key");
    wrong("  cloud:", "  ../cloud:", "artefacts.../cloud.name: a name is made of letters");
}

static void an_absent_manifest_is_an_empty_one(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autoartefacts struct rf_artefacts artefacts;
    rf_artefacts_read("/nonexistent/artefacts.yaml", &artefacts, &problems);
    assert_int_equal(artefacts.count, 0);
    assert_int_equal(problems.count, 0);
}

static void the_shipped_manifest_is_valid(void **state)
{
    (void)state;
    rf_autoproblems rf_problems problems = {0};
    rf_autoartefacts struct rf_artefacts artefacts;
    rf_artefacts_read("image/data/artefacts.yaml", &artefacts, &problems);
    rf_autofree char *said = rf_problems_text(&problems);
    if (problems.count)
        fail_msg("%s", said);
    assert_true(artefacts.count > 0);
}

/* A file of the manifest that can be written. */
static char *written(const char *top)
{
    char *path = rf_format("%s/m.yaml", top);
    assert_int_equal(rf_write_file(path, good, sizeof(good) - 1, 0644, NULL), 0);
    return path;
}

static void pinning_changes_one_word(void **state)
{
    (void)state;
    rf_autofree char *top = unit_directory(), *path = written(top), *text = NULL;
    rf_autoproblems rf_problems problems = {0};
    rf_autoartefacts struct rf_artefacts artefacts, after;
    rf_artefacts_read(path, &artefacts, &problems);
    assert_int_equal(rf_artefact_pin(&artefacts, rf_artefact_named(&artefacts, "app"), SUM, NULL), 0);
    assert_int_equal(rf_read_file(path, 10000, &text, NULL, NULL), 0);
    assert_int_equal(strlen(text), sizeof(good) - 1 + strlen(SUM) - strlen("unknown"));
    assert_non_null(strstr(text, "title: unknown app")); /* not this one */
    rf_artefacts_read(path, &after, &problems);
    assert_int_equal(problems.count, 0);
    assert_string_equal(rf_artefact_named(&after, "app")->sha256, SUM);
    rf_error *error = NULL; /* the manifest as it was read is no longer the file's */
    assert_int_equal(rf_artefact_pin(&artefacts, rf_artefact_named(&artefacts, "app"), SUM, &error), -1);
    assert_error_has(error, "line 14 no longer says `sha256: unknown`");
    assert_int_equal(rf_artefact_pin(&after, rf_artefact_named(&after, "cloud"), SUM, &error), -1);
    assert_error_has(error, "cloud already has a checksum");
    rf_remove_tree(top, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_read),
        cmocka_unit_test(mistakes_have_their_place),
        cmocka_unit_test(an_absent_manifest_is_an_empty_one),
        cmocka_unit_test(the_shipped_manifest_is_valid),
        cmocka_unit_test(pinning_changes_one_word),
    };
    return cmocka_run_group_tests_name("image/artefact", tests, NULL, NULL);
}
