/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"
#include "base/json.h"
#include "tests/unit/unit.h"

static char *file_of(const char *text, size_t size)
{
    char *path = rf_format("%s/a.json", unit_scratch());
    assert_int_equal(rf_write_file(path, text, size, 0600, NULL), 0);
    return path;
}

static void a_document_keeps_its_order(void **state)
{
    (void)state;
    static const char text[] = "{\"z\": 1, \"a\": {\"text\": \"ü\"}, \"list\": [true, null, 1.5]}";
    rf_autofree char *path = file_of(text, strlen(text));
    rf_autojson json_t *json = rf_json_load(path, strlen(text), NULL);
    assert_non_null(json);
    rf_autofree char *again = rf_json_text(json);
    assert_string_equal(again, "{\n"
                               "  \"z\": 1,\n"
                               "  \"a\": {\n"
                               "    \"text\": \"ü\"\n"
                               "  },\n"
                               "  \"list\": [\n"
                               "    true,\n"
                               "    null,\n"
                               "    1.5\n"
                               "  ]\n"
                               "}\n");
    rf_autofree char *null = rf_json_text(NULL);
    assert_string_equal(null, "null\n");
}

static void what_is_no_document_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"{\n  \"a\": 1,\n}", "a.json:3:1: not JSON: "},
        {"{\"a\": 1, \"a\": 2}", "not JSON: duplicate object key"},
        {"{} {}", "not JSON: end of file expected"},
        {"", "not JSON: "},
        {"\"\xff\"", "not JSON: "},
        {"                                         ", "a.json is larger than the 40 bytes allowed"},
    };
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autofree char *path = file_of(rows[i].text, strlen(rows[i].text));
        rf_error *error = NULL;
        assert_null(rf_json_load(path, 40, &error));
        assert_int_equal(rf_error_code(error), RF_FAILED);
        assert_error_has(error, rows[i].said);
    }
    rf_error *error = NULL;
    assert_null(rf_json_load("/no/such/file.json", 40, &error));
    assert_error(error, "/no/such/file.json can't be opened: No such file or directory");
}

static void members_of_another_kind_are_absent(void **state)
{
    (void)state;
    rf_autojson json_t *json =
        json_pack("{s:s,s:I,s:f,s:[],s:n}", "text", "x", "number", (json_int_t)1 << 40, "real", 2.0, "list", "null");
    assert_string_equal(rf_json_string(json, "text"), "x");
    assert_int_equal(rf_json_integer(json, "number", 7), (json_int_t)1 << 40);
    static const char *const others[] = {"real", "list", "null", "absent"};
    for (size_t i = 0; i < RF_COUNT(others); i++) {
        assert_null(rf_json_string(json, others[i]));
        assert_int_equal(rf_json_integer(json, others[i], 7), 7);
    }
    assert_null(rf_json_string(json, "number"));
    assert_int_equal(rf_json_integer(json, "text", -1), -1);
    assert_null(rf_json_string(NULL, "text"));
    assert_int_equal(rf_json_integer(json_object_get(json, "list"), "number", 7), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_keeps_its_order),
        cmocka_unit_test(what_is_no_document_is_said_with_its_place),
        cmocka_unit_test(members_of_another_kind_are_absent),
    };
    return cmocka_run_group_tests_name("base/json", tests, unit_scratch_open, unit_scratch_close);
}
