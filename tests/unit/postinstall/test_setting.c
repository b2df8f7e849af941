/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "postinstall/setting.h"
#include "tests/unit/unit.h"

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* `wrong`: how the complaint begins; NULL: fine. */
static const struct {
    const char *type, *value, *wrong;
} rows[] = {
    {"boolean", "true", NULL},
    {"boolean", "\"true\"", "is neither true nor false"},
    {"boolean", "1", "is neither true nor false"},
    {"integer", "-3", NULL},
    {"integer", "3.0", "is not a whole number"},
    {"integer", "\"3\"", "is not a whole number"},
    {"host", "\"cloud.firma.example\"", NULL},
    {"host", "\"a-1.b\"", NULL},
    {"host", "\"cloud\"", "is not a full DNS name"},
    {"host", "\"cloud.firma.example.\"", "is not a full DNS name"},
    {"host", "\"cloud..example\"", "is not a full DNS name"},
    {"host", "\"-a.example\"", "is not a full DNS name"},
    {"host", "\"a-.example\"", "is not a full DNS name"},
    {"host", "\"a_b.example\"", "is not a full DNS name"},
    {"host", "\"" LABEL_63 ".example\"", NULL},
    {"host", "\"" LABEL_63 "a.example\"", "is not a full DNS name"},
    {"host", "\"" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 "\"", "is not a full DNS name"}, /* 255 bytes */
    {"host", "5", "is not a full DNS name"},
    {"realm", "\"AD.FIRMA.EXAMPLE\"", NULL},
    {"realm", "\"AD.firma.EXAMPLE\"", "must be in capital letters"},
    {"realm", "\"FIRMA.LOCAL\"", "ends in .LOCAL"},
    {"realm", "\"AD.LOCALS\"", NULL},
    {"realm", "\"AD\"", "is not a Kerberos realm"},
    {"realm", "null", "is not a Kerberos realm"},
    {"netbios", "\"FIRMA\"", NULL},
    {"netbios", "\"ABCDEFGHIJKLMNO\"", NULL},
    {"netbios", "\"ABCDEFGHIJKLMNOP\"", "is not a NetBIOS name"},
    {"netbios", "\"\"", "is not a NetBIOS name"},
    {"netbios", "\"A.B\"", "is not a NetBIOS name"},
    {"text", "\"some words, \u00fc too\"", NULL},
    {"text", "\"\"", "is not a text of 1 to 1024 bytes"},
    {"text", "\"two\\nlines\"", "holds a control character"},
    {"text", "[]", "is not a text of 1 to 1024 bytes"},
};

static void values_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < RF_COUNT(rows); i++) {
        rf_autojson json_t *value = json_loads(rows[i].value, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        const char *wrong = rf_setting_type(rows[i].type)->wrong(value);
        const bool same = rows[i].wrong ? wrong && strncmp(wrong, rows[i].wrong, strlen(rows[i].wrong)) == 0 : !wrong;
        if (!same)
            fail_msg("%s %s: \"%s\"", rows[i].type, rows[i].value, wrong ? wrong : "fine");
    }
    rf_autofree char *longest = rf_alloc(1026);
    memset(longest, 'x', 1024);
    rf_autojson json_t *fits = json_string(longest);
    longest[1024] = 'x';
    rf_autojson json_t *longer = json_string(longest);
    assert_null(rf_setting_type("text")->wrong(fits));
    assert_non_null(rf_setting_type("text")->wrong(longer));
}

static void each_types_own_example_is_right(void **state)
{
    (void)state;
    rf_autofree char *names = rf_setting_type_names();
    assert_string_equal(names, "boolean, host, integer, netbios, realm, text");
    assert_null(rf_setting_type("hos"));
    for (char *rest = names, *name; (name = strsep(&rest, ", "));) {
        const struct rf_setting_type *type = *name ? rf_setting_type(name) : NULL;
        if (!type)
            continue;
        json_t *plain = json_loads(type->example, JSON_DECODE_ANY, NULL);
        rf_autojson json_t *value = plain ? plain : json_string(type->example);
        assert_null(type->wrong(value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_judged),
        cmocka_unit_test(each_types_own_example_is_right),
    };
    return cmocka_run_group_tests_name("postinstall/setting", tests, NULL, NULL);
}
